// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Role is a role that may be assumed.
type Role struct {
	ARN string
	// ExternalID, when it is given, must be given to AssumeRole too.
	ExternalID string
	// WebIdentityToken, when it is given, may be exchanged for the role with
	// AssumeRoleWithWebIdentity.
	WebIdentityToken string
	// Lifetime of the sessions, whatever is asked for; 0: as asked.
	Lifetime time.Duration
}

// SetRole makes a role known, or changes it.
func (s *Server) SetRole(r Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[r.ARN] = r
}

func (c *call) parseForm() error {
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return err
	}
	c.form = make(map[string]string, len(values))
	for name := range values {
		c.form[name] = values.Get(name)
	}
	c.op = c.form["Action"]
	c.role = c.form["RoleArn"]
	return nil
}

// sts carries out a request for STS.
func (s *Server) sts(c *call, r *http.Request, malformed error) answer {
	switch s.cfg.STS {
	case STSUnknownVPCEndpoint:
		return unknownOperation
	case STSUnknownKinesisLocal:
		a := unknownOperation
		a.contentType = "text/plain; charset=UTF-8"
		return a
	case STSUnknownKinesalite:
		return forbidden
	}
	if malformed != nil {
		return s.refuse(c, refusal{status: http.StatusBadRequest, code: "MalformedQueryString"})
	}
	if c.op == "AssumeRoleWithWebIdentity" { // the token is the proof, nothing is signed
		return s.assumeRoleWithWebIdentity(c)
	}
	if s.cfg.SkipSignatures {
		c.user = s.Credentials()
	} else {
		user, refused := s.authenticate(r, c.body, serviceSTS)
		if refused != nil {
			return s.refuse(c, refused.forQuery())
		}
		c.user = user
	}
	switch c.op {
	case "GetCallerIdentity":
		return s.stsResult(c, fmt.Sprintf("<Arn>%s</Arn>\n    <UserId>%s</UserId>\n    <Account>%s</Account>",
			xmlText(c.user.ARN), xmlText(c.user.UserID), s.cfg.Account))
	case "AssumeRole":
		return s.assumeRole(c)
	}
	return s.refuse(c, refusal{code: "InvalidAction"})
}

func (s *Server) stsResult(c *call, result string) answer {
	return answer{status: http.StatusOK, contentType: "text/xml", body: fmt.Appendf(nil,
		`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <%[1]sResult>
    %[2]s
  </%[1]sResult>
  <ResponseMetadata>
    <RequestId>%[3]s</RequestId>
  </ResponseMetadata>
</%[1]sResponse>
`, c.op, result, c.requestID)}
}

func (s *Server) role(arn string) (Role, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.roles[arn]
	return r, ok
}

func (s *Server) assumeRole(c *call) answer {
	role, ok := s.role(c.role)
	if !ok || role.ExternalID != "" && role.ExternalID != c.form["ExternalId"] {
		return s.refuse(c, refusal{code: "AccessDenied"})
	}
	return s.session(c, role, "")
}

func (s *Server) assumeRoleWithWebIdentity(c *call) answer {
	role, ok := s.role(c.role)
	switch {
	case !ok || role.WebIdentityToken == "":
		return s.refuse(c, refusal{code: "AccessDenied", message: "Not authorized to perform sts:AssumeRoleWithWebIdentity"})
	case role.WebIdentityToken != c.form["WebIdentityToken"]:
		return s.refuse(c, refusal{code: "InvalidIdentityToken"})
	}
	return s.session(c, role, "\n    <SubjectFromWebIdentityToken>system:serviceaccount:default:otel</SubjectFromWebIdentityToken>"+
		"\n    <Audience>sts.amazonaws.com</Audience>")
}

// session answers with new credentials of a role.
func (s *Server) session(c *call, role Role, more string) answer {
	lifetime := time.Hour
	if text := c.form["DurationSeconds"]; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 900 || n > 43200 {
			return s.refuse(c, refusal{code: "ValidationError", message: "1 validation error detected: Value '" + text +
				"' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"})
		}
		lifetime = time.Duration(n) * time.Second
	}
	if role.Lifetime != 0 {
		lifetime = role.Lifetime
	}
	creds := s.IssueCredentials(role.ARN, c.form["RoleSessionName"], lifetime)
	return s.stsResult(c, fmt.Sprintf(`<AssumedRoleUser>
      <AssumedRoleId>%s</AssumedRoleId>
      <Arn>%s</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>%s</AccessKeyId>
      <SecretAccessKey>%s</SecretAccessKey>
      <SessionToken>%s</SessionToken>
      <Expiration>%s</Expiration>
    </Credentials>%s`, creds.UserID, xmlText(creds.ARN), creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken,
		creds.Expires.Format(time.RFC3339), more))
}

// IssueCredentials makes credentials of a session of a role, as STS and the
// metadata endpoints hand them out.
func (s *Server) IssueCredentials(roleARN, session string, lifetime time.Duration) Credentials {
	name := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	creds := Credentials{
		AccessKeyID:     "ASIA" + randomText(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
		SecretAccessKey: randomText(40, base64Alphabet),
		SessionToken:    "IQoJb3JpZ2luX2Vj" + randomText(200, base64Alphabet),
		Expires:         s.now().Add(lifetime).Truncate(time.Second),
		ARN:             "arn:aws:sts::" + s.cfg.Account + ":assumed-role/" + name + "/" + session,
		UserID:          "AROAKINESISTEST000001:" + session,
	}
	s.SetCredentials(creds)
	return creds
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func randomText(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(b)
}
