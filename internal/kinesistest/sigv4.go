// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are a key pair that the server knows, and whose it is.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string    // "" for long-term keys
	Expires         time.Time // zero: never
	ARN             string    // of the user or the role's session
	UserID          string
}

// Static gives the three strings in the order in which the SDK's
// credentials.NewStaticCredentialsProvider takes them.
func (c Credentials) Static() (accessKeyID, secretAccessKey, sessionToken string) {
	return c.AccessKeyID, c.SecretAccessKey, c.SessionToken
}

const (
	sigV4Algorithm = "AWS4-HMAC-SHA256"
	sigV4Time      = "20060102T150405Z"
	sigV4Skew      = 5 * time.Minute
)

// authenticate checks the Signature Version 4 of a request and says who signed
// it. The refusal carries the codes of the JSON services; STS has others for
// the same, see [queryCodes].
// Source: IAM User Guide, "Create a signed AWS API request".
func (s *Server) authenticate(r *http.Request, body []byte, service string) (Credentials, *refusal) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return Credentials{}, &refusal{code: codeMissingAuth}
	}
	algorithm, fields, _ := strings.Cut(header, " ")
	if algorithm != sigV4Algorithm {
		return Credentials{}, &refusal{code: codeIncompleteSignature,
			message: "Unsupported AWS 'algorithm': '" + algorithm + "'. Authorization=" + header}
	}
	params := make(map[string]string, 3)
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		params[name] = value
	}
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if params[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return Credentials{}, &refusal{code: codeIncompleteSignature, message: missing.String() + "Authorization=" + header}
	}
	scope := strings.Split(params["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return Credentials{}, &refusal{code: codeIncompleteSignature,
			message: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + params["Credential"] + "'"}
	}

	creds, known := s.credentials(scope[0])
	now := s.now()
	if !known || creds.SessionToken != r.Header.Get("X-Amz-Security-Token") {
		return Credentials{}, &refusal{code: codeUnrecognizedClient}
	}
	if !creds.Expires.IsZero() && !now.Before(creds.Expires) {
		return Credentials{}, &refusal{code: codeExpiredToken}
	}

	wrong := func(message string) (Credentials, *refusal) {
		return Credentials{}, &refusal{code: codeInvalidSignature, message: message}
	}
	signed, err := time.Parse(sigV4Time, date)
	switch {
	case err != nil:
		return Credentials{}, &refusal{code: codeIncompleteSignature,
			message: "Date must be in ISO-8601 'basic format'. Got '" + date + "'. See http://en.wikipedia.org/wiki/ISO_8601"}
	case signed.Before(now.Add(-sigV4Skew)):
		return wrong("Signature expired: " + date + " is now earlier than " + now.Add(-sigV4Skew).Format(sigV4Time) +
			" (" + now.Format(sigV4Time) + " - 5 min.)")
	case signed.After(now.Add(sigV4Skew)):
		return wrong("Signature not yet current: " + date + " is still later than " + now.Add(sigV4Skew).Format(sigV4Time) +
			" (" + now.Format(sigV4Time) + " + 5 min.)")
	case scope[1] != date[:8]:
		return wrong("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			scope[1] + "' != '" + date[:8] + "', from '" + date + "'.")
	case scope[2] != s.cfg.Region:
		return wrong("Credential should be scoped to a valid region.")
	case scope[3] != service:
		return wrong("Credential should be scoped to correct service: '" + service + "'.")
	}

	names := strings.Split(params["SignedHeaders"], ";")
	if !slices.Contains(names, "host") {
		return wrong("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	payload := sha256.Sum256(body)
	canonical := sha256.Sum256(canonicalRequest(r, names, payload[:]))
	toSign := sigV4Algorithm + "\n" + date + "\n" + strings.Join(scope[1:], "/") + "\n" + hex.EncodeToString(canonical[:])
	key := mac([]byte("AWS4"+creds.SecretAccessKey), scope[1])
	for _, part := range scope[2:] {
		key = mac(key, part)
	}
	want := hex.EncodeToString(mac(key, toSign))
	if !hmac.Equal([]byte(want), []byte(params["Signature"])) {
		return wrong("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return creds, nil
}

// claimed is who a request says it is from, unproven.
func (s *Server) claimed(r *http.Request) Credentials {
	_, after, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(after, "/")
	creds, _ := s.credentials(id)
	return creds
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func canonicalRequest(r *http.Request, signed []string, payload []byte) []byte {
	b := make([]byte, 0, 1024)
	b = append(b, r.Method...)
	b = append(b, '\n')
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			b = append(b, '/')
		}
		b = append(b, awsEscape(segment)...) // once more, as every service but S3 wants it
	}
	b = append(b, '\n')
	b = append(b, canonicalQuery(r.URL.RawQuery)...)
	b = append(b, '\n')
	for _, name := range signed {
		b = append(b, name...)
		b = append(b, ':')
		for i, value := range headerValues(r, name) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, strings.Join(strings.Fields(value), " ")...)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, strings.Join(signed, ";")...)
	b = append(b, '\n')
	return hex.AppendEncode(b, payload)
}

// headerValues gives what the client sent, also of those headers that net/http
// takes out.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host":
		return []string{r.Host}
	case "content-length":
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	return r.Header.Values(name)
}

func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return raw
	}
	var pairs []string
	for name, all := range values {
		for _, value := range all {
			pairs = append(pairs, awsEscape(name)+"="+awsEscape(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// awsEscape escapes all but the unreserved characters of RFC 3986.
func awsEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}
