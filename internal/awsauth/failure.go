// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind tells failures apart that need different remedies.
type Kind string

const (
	KindNoCredentials Kind = "no credentials"     // no source has any
	KindSource        Kind = "credential source"  // a source is there, but broken
	KindSettings      Kind = "settings"           // the environment or the files cannot be read
	KindUnknownKey    Kind = "unknown access key" // InvalidClientTokenId
	KindWrongSecret   Kind = "wrong secret"       // SignatureDoesNotMatch
	KindExpired       Kind = "expired session"    // ExpiredToken
	KindClock         Kind = "clock"              // signed at a time AWS does not accept
	KindAssumeRole    Kind = "role not assumed"   // AssumeRole is denied
	KindAccessDenied  Kind = "access denied"      // a permission is missing
	KindNoStream      Kind = "no stream"          // ResourceNotFoundException
	KindKMS           Kind = "KMS"                // the stream's key cannot be used
	KindNoSTS         Kind = "no STS"             // what was asked does not speak STS
	KindUnreachable   Kind = "unreachable"        // no answer
	KindUnknown       Kind = "other"              // AWS said something else
)

// Failure is what is wrong, in one sentence that says what to do. It contains
// nothing secret; the error it wraps may, so print only the Failure.
type Failure struct {
	Kind     Kind
	Sentence string
	code     string // of AWS
	err      error
}

func (f *Failure) Error() string { return f.Sentence }
func (f *Failure) Unwrap() error { return f.err }

// failureKind says what an error code means about the credentials themselves.
func failureKind(code string) Kind {
	switch code {
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "IncompleteSignature", "IncompleteSignatureException":
		// An incomplete signature is what blanks or line ends in the key make.
		return KindUnknownKey
	case "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature":
		return KindWrongSecret
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return KindExpired
	case "RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture":
		return KindClock
	case "AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation":
		return KindAccessDenied
	case "ResourceNotFoundException":
		return KindNoStream
	}
	if strings.HasPrefix(code, "KMS") && code != "KMSThrottlingException" {
		return KindKMS
	}
	return KindUnknown
}

// explain finds the sentence for err. s is nil when the settings could not be
// read. A Failure stays what it is.
func (a *Auth) explain(err error, s *settings) *Failure {
	var done *Failure
	if errors.As(err, &done) {
		return done
	}
	f := &Failure{Kind: KindUnknown, err: err}
	var load *loadError
	if errors.As(err, &load) {
		f.Kind, f.Sentence = a.explainLoad(load.err)
		return f
	}

	at := a.place(err, s)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && understood(api, err) && (at.service == serviceSTS || at.service == serviceKinesis):
		f.code = api.ErrorCode()
		f.Kind, f.Sentence = a.explainAnswer(err, api, at)
	case at.service == serviceSTS || at.service == serviceKinesis:
		if reason, ok := unreachable(err); ok {
			f.Kind = KindUnreachable
			f.Sentence = fmt.Sprintf("%s cannot be reached at %s (%s): %s", at.name(), at.host, reason, at.remedyUnreachable(err))
			break
		}
		f.Sentence = fmt.Sprintf("%s at %s gave an answer that is not understood%s", at.name(), at.host, inBrackets(statusOf(err)))
	default:
		f.Kind, f.Sentence = a.explainSource(err, at, s)
	}
	return f
}

// understood reports whether AWS itself named the error. What the SDK cannot
// read, such as the page of a gateway, it calls UnknownError.
func understood(api smithy.APIError, err error) bool {
	switch api.ErrorCode() {
	case "":
		return false
	case unknownCode:
		return statusOf(err) < http.StatusInternalServerError
	}
	return true
}

// unknownCode is the SDK's, for code and message of an answer without.
const unknownCode = "UnknownError"

// Services that an error can come from.
const (
	serviceSTS       = "STS"
	serviceKinesis   = "Kinesis"
	serviceIMDS      = "ec2imds"
	serviceContainer = "container"
	serviceSSO       = "SSO"
)

// place is where an error happened.
type place struct {
	service   string // of the constants above, or ""
	operation string // such as AssumeRole
	host      string
	method    string // of authentication, "" when not known
	sourced   bool   // while getting credentials
}

func (p place) name() string {
	if p.service == serviceSTS {
		return "STS"
	}
	return "Kinesis"
}

func (p place) remedyUnreachable(err error) string {
	var untrusted x509.UnknownAuthorityError
	if errors.As(err, &untrusted) {
		return "give its certificate authority with `tls::ca_file`"
	}
	if p.service == serviceSTS {
		return "check the network, the proxy and `sts_endpoint`"
	}
	return "check the network, the proxy and `endpoint`"
}

// place finds the innermost operation of err: getting credentials happens while
// another request is made.
func (a *Auth) place(err error, s *settings) place {
	var p place
	var from *sourceError
	if errors.As(err, &from) {
		p.method, p.sourced = from.method, true
		switch base(p.method) { // not every error of theirs names them
		case "container":
			p.service = serviceContainer
		case methodInstance:
			p.service = serviceIMDS
		}
	} else {
		a.mu.Lock()
		p.method = a.method
		a.mu.Unlock()
		var api smithy.APIError
		if errors.As(err, &api) {
			p.service = serviceKinesis // unless the operation says otherwise
		}
	}
	for e := err; ; {
		var op *smithy.OperationError
		if !errors.As(e, &op) {
			break
		}
		switch op.ServiceID {
		case serviceSTS, serviceKinesis, serviceIMDS:
			p.service = op.ServiceID
		case "SSO", "SSO OIDC", "Signin":
			p.service = serviceSSO
		}
		p.operation = op.OperationName
		e = op.Err
	}
	if s == nil {
		return p
	}
	switch p.service {
	case serviceSTS:
		p.host = s.stsHost(p.operation != "GetCallerIdentity")
	case serviceKinesis:
		a.mu.Lock()
		account := a.account
		a.mu.Unlock()
		p.host, _ = s.kinesisHost(context.Background(), account)
	}
	return p
}

// explainAnswer is for what AWS says itself.
func (a *Auth) explainAnswer(err error, api smithy.APIError, at place) (Kind, string) {
	code := api.ErrorCode()
	kind := failureKind(code)
	if off, skewed := clockOff(err, code, api.ErrorMessage()); skewed {
		return KindClock, fmt.Sprintf("the clock of this machine is %s (%s): set it, for instance with NTP; AWS refuses requests that are signed more than 5 minutes off", off, code)
	}
	if at.sourced && (at.operation == "AssumeRole" || at.operation == "AssumeRoleWithWebIdentity") {
		if kind, sentence := a.explainRole(api, kind, at); sentence != "" {
			return kind, sentence
		}
	}
	switch kind {
	case KindUnknownKey:
		return kind, fmt.Sprintf("the access key in %s%s does not exist or is not active (%s from %s): correct it",
			keysOf(at).key, a.keyHint(at), code, at.name())
	case KindWrongSecret:
		return kind, fmt.Sprintf("the secret in %s does not belong to the access key%s (%s from %s): correct it",
			keysOf(at).secret, a.keyHint(at), code, at.name())
	case KindExpired:
		keys := keysOf(at)
		return kind, fmt.Sprintf("the session in %s is over (%s from %s): %s", keys.session, code, at.name(), keys.renew)
	case KindAccessDenied:
		if at.service == serviceKinesis {
			return kind, a.denied("kinesis:PutRecords", a.streamARN(a.callerARN()), "KinesisWrite", code, api.ErrorMessage())
		}
		if at.operation == "GetCallerIdentity" {
			return kind, a.denied("sts:GetCallerIdentity", "*", "STSIdentity", code, api.ErrorMessage())
		}
	case KindNoStream:
		if at.service == serviceKinesis {
			return kind, fmt.Sprintf("the stream %q does not exist in account %s, region %s (%s): check `stream` and `region`, or create it; what waits is sent once it is there",
				a.stream.name, a.streamAccount(), a.opts.Region, code)
		}
	case KindKMS:
		return kind, a.explainKMS(code, api.ErrorMessage())
	}
	if code == unknownCode {
		return KindUnknown, fmt.Sprintf("%s at %s gave an answer that is not understood%s", at.name(), at.host, inBrackets(statusOf(err)))
	}
	said := code
	if message := tame(api.ErrorMessage()); message != "" && message != unknownCode {
		said += ": " + message
	}
	return KindUnknown, fmt.Sprintf("%s at %s answered %s", at.name(), at.host, said)
}

// explainRole is for a role that STS does not hand out. The sentence is "" when
// the credentials that ask for it are the trouble.
func (a *Auth) explainRole(api smithy.APIError, kind Kind, at place) (Kind, string) {
	code, message := api.ErrorCode(), tame(api.ErrorMessage())
	switch code {
	case unknownCode, "UnknownOperationException", "InvalidAction":
		return KindNoSTS, fmt.Sprintf("%s does not speak STS, so no role can be assumed there: set `sts_endpoint`", at.host)
	}
	if at.operation == "AssumeRoleWithWebIdentity" {
		switch code {
		case "AccessDenied", "AccessDeniedException":
			return KindAssumeRole, fmt.Sprintf("the role of the web identity cannot be assumed (%s): let its trust policy allow sts:AssumeRoleWithWebIdentity to the identity provider, and check the namespace and name of the service account in it, and AWS_ROLE_ARN", code)
		case "ExpiredTokenException", "ExpiredToken":
			return KindExpired, fmt.Sprintf("the web identity token in %s is expired (%s): it must be renewed by what writes the file", tokenFile(a.current()), code)
		case "InvalidIdentityToken", "InvalidIdentityTokenException", "IDPRejectedClaim", "IDPCommunicationError":
			return KindAssumeRole, fmt.Sprintf("the web identity token in %s is not accepted by STS (%s: %s): check the identity provider in IAM and its audience, sts.amazonaws.com", tokenFile(a.current()), code, message)
		}
		return kind, ""
	}
	switch code {
	case "AccessDenied", "AccessDeniedException":
		role, external := a.opts.RoleARN, "check `external_id`"
		if role == "" {
			role, external = roleIn(message), "check external_id in the profile"
		}
		if a.opts.RoleARN != "" && a.opts.ExternalID == "" {
			external = "set `external_id` if the policy asks for one"
		}
		who := userIn(message)
		if who == "" {
			who = "the identity of " + base(at.method)
		}
		return KindAssumeRole, fmt.Sprintf("the role %s cannot be assumed by %s (%s): name that identity in the role's trust policy, allow it sts:AssumeRole on the role, and %s", role, who, code, external)
	case "ValidationError":
		return KindAssumeRole, fmt.Sprintf("the role %s cannot be assumed (%s: %s): check `role_arn` and `external_id`", a.opts.RoleARN, code, message)
	}
	return kind, ""
}

// denied is the sentence about a missing permission, with the statement to add.
func (a *Auth) denied(action, resource, sid, code, message string) string {
	caller := a.callerARN()
	if caller == "" {
		caller = "the identity of " + a.methodNow()
	}
	if _, why, found := strings.Cut(tame(message), "explicit deny in "); found {
		return fmt.Sprintf("%s is denied %s on %s by %s (%s): that deny must go, an allow does not outweigh it", caller, action, resource, strings.TrimRight(why, "."), code)
	}
	return fmt.Sprintf("%s is not allowed %s on %s (%s): add to its policy %s", caller, action, resource, code, statement(sid, action, resource))
}

func (a *Auth) explainKMS(code, message string) string {
	switch code {
	case "KMSDisabledException":
		return fmt.Sprintf("the KMS key of the stream %q is disabled (%s): enable it", a.stream.name, code)
	case "KMSNotFoundException":
		return fmt.Sprintf("the KMS key of the stream %q does not exist (%s): give the stream another key", a.stream.name, code)
	case "KMSAccessDeniedException":
	default:
		return fmt.Sprintf("the KMS key of the stream %q cannot be used (%s: %s)", a.stream.name, code, tame(message))
	}
	key := kmsKeyARN.FindString(message)
	if key == "" {
		key = strings.Replace(strings.Replace(a.streamARN(a.callerARN()), ":kinesis:", ":kms:", 1), "stream/"+a.stream.name, "key/KEY_ID", 1)
	}
	caller := a.callerARN()
	if caller == "" {
		caller = "the identity of " + a.methodNow()
	}
	return fmt.Sprintf("%s is not allowed to use the KMS key of the stream %q (%s): add to its policy %s, and let the key's policy allow it",
		caller, a.stream.name, code, statement("KinesisEncrypt", "kms:GenerateDataKey", key))
}

var (
	accessKeyID = regexp.MustCompile(`\bA[KS]IA[A-Z0-9]{12,}`)
	kmsKeyARN   = regexp.MustCompile(`arn:aws[\w-]*:kms:[\w-]+:\d+:key/[\w-]+`)
	userARN     = regexp.MustCompile(`User: (arn:[^ ]+)`)
	roleARN     = regexp.MustCompile(`arn:aws[\w-]*:iam::\d+:role/[^ ,]+`)
)

func userIn(message string) string {
	if m := userARN.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

func roleIn(message string) string {
	if role := roleARN.FindString(message); role != "" {
		return role
	}
	return "of the profile"
}

// statement is one statement of an IAM policy, as JSON.
func statement(sid, action, resource string) string {
	out, err := json.Marshal(struct{ Sid, Effect, Action, Resource string }{sid, "Allow", action, resource})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(out)
}

// clockOff says by how much the clock is off when that is why a request was
// refused: the answer carries AWS's time.
func clockOff(err error, code, message string) (string, bool) {
	if failureKind(code) != KindClock && !strings.Contains(message, "Signature expired") && !strings.Contains(message, "Signature not yet current") {
		return "", false
	}
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil {
		if date, err := http.ParseTime(resp.Response.Header.Get("Date")); err == nil {
			off := time.Since(date).Round(time.Second)
			if off < 0 {
				return (-off).String() + " behind AWS", true
			}
			return off.String() + " ahead of AWS", true
		}
	}
	return "wrong", true
}

// explainLoad is for the environment and the shared config files.
func (a *Auth) explainLoad(err error) (Kind, string) {
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		key := "AWS_PROFILE"
		if a.opts.Profile != "" {
			key = "`profile`"
		}
		return KindSettings, fmt.Sprintf("the profile %q of %s is in none of %s: add it there, or name another; the files are read again until it is there",
			missing.Profile, key, strings.Join(sharedFiles(), ", "))
	}
	var mfa config.AssumeRoleTokenProviderNotSetError
	if errors.As(err, &mfa) {
		return KindSettings, "the profile wants an MFA code (mfa_serial), which nobody can enter here: use a profile without"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return KindSettings, fmt.Sprintf("%s cannot be read (%v): mend it, it is read again", path.Path, path.Err)
	}
	var file config.SharedConfigLoadError
	if errors.As(err, &file) {
		return KindSettings, fmt.Sprintf("%s cannot be read as an AWS config file: mend it, it is read again", file.Filename)
	}
	return KindSettings, fmt.Sprintf("the AWS settings of the environment or of %s cannot be used (%s): mend them, they are read again",
		strings.Join(sharedFiles(), ", "), tame(strings.Join(strings.Fields(err.Error()), " ")))
}

// sharedFiles are the files that the SDK reads.
func sharedFiles() []string {
	files := []string{config.DefaultSharedConfigFilename(), config.DefaultSharedCredentialsFilename()}
	for i, key := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		if v := os.Getenv(key); v != "" {
			files[i] = v
		}
	}
	return files
}

// explainSource is for sources of credentials other than STS.
func (a *Auth) explainSource(err error, at place, s *settings) (Kind, string) {
	var path *fs.PathError
	var process *processcreds.ProviderError
	source := base(at.method)
	switch {
	case strings.HasPrefix(source, "SSO session"):
		return KindSource, fmt.Sprintf("the %s is over or not there: run `aws sso login` for that profile", source)
	case strings.HasPrefix(source, "login session"):
		return KindSource, fmt.Sprintf("the %s is over or not there: run `aws login` for that profile", source)
	case strings.HasPrefix(source, "web identity") && at.service != serviceSTS:
		if _, ferr := os.ReadFile(tokenFile(s)); errors.As(ferr, &path) {
			return KindSource, fmt.Sprintf("the web identity token in %s cannot be read (%v): it must be put there, for instance by the annotation of the service account", path.Path, path.Err)
		}
	case errors.As(err, &process):
		return KindSource, fmt.Sprintf("the %s gives no credentials (%s): run its credential_process by hand, as the user of the collector", at.method, processReason(err))
	case errors.As(err, &path):
		return KindSource, fmt.Sprintf("%s cannot be read (%v): %s needs it", path.Path, path.Err, orWord(at.method, "the credential source"))
	case errors.Is(err, errNoKeys):
		return KindSource, fmt.Sprintf("%s gives no access key: set one, or `key` and `secret`", orWord(at.method, "the credential source"))
	case at.service == serviceIMDS:
		reason := imdsReason(err)
		if s == nil || s.shared.CredentialSource == "" {
			// Asked only because nothing else is set.
			return KindNoCredentials, noCredentials(reason)
		}
		return KindSource, fmt.Sprintf("the instance role gives no credentials (%s): give the instance a role, and let containers on it reach the metadata service with a hop limit of 2", reason)
	case at.service == serviceContainer:
		return KindSource, fmt.Sprintf("the container's credential endpoint %s gives no credentials (%s): check the role of the task or pod, and its agent", containerURL(), containerReason(err))
	}
	if reason, ok := unreachable(err); ok {
		return KindSource, fmt.Sprintf("%s cannot be reached for credentials (%s)", orWord(at.method, "the credential source"), reason)
	}
	return KindUnknown, fmt.Sprintf("%s gives no credentials%s", orWord(at.method, "the credential source"), inBrackets(statusOf(err)))
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func noCredentials(imdsReason string) string {
	return "no AWS credentials found; tried the environment (AWS_ACCESS_KEY_ID is not set), web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), " +
		"the shared config files (" + strings.Join(sharedFiles(), ", ") + "), the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set) " +
		"and the instance role (" + imdsReason + "): provide one of them, or set `key` and `secret`"
}

func imdsReason(err error) string {
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return "switched off by AWS_EC2_METADATA_DISABLED"
	}
	switch status := statusOf(err); status {
	case 0:
	case http.StatusNotFound:
		return "the instance has no role"
	default:
		return fmt.Sprintf("the metadata service answered %d", status)
	}
	if reason, ok := unreachable(err); ok {
		return reason
	}
	return "the metadata service gave an answer that is not understood"
}

func containerURL() string {
	if path := os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); path != "" {
		return "http://169.254.170.2" + path
	}
	if u, err := url.Parse(os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")); err == nil {
		return u.Redacted()
	}
	return "AWS_CONTAINER_CREDENTIALS_FULL_URI"
}

func containerReason(err error) string {
	if file := os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		var path *fs.PathError
		if _, err := os.ReadFile(file); errors.As(err, &path) {
			return fmt.Sprintf("%s cannot be read: %v", file, path.Err)
		}
	}
	if status := statusOf(err); status != 0 {
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorCode() != "" {
			return fmt.Sprintf("it answered %d, %s: %s", status, api.ErrorCode(), tame(api.ErrorMessage()))
		}
		return fmt.Sprintf("it answered %d", status)
	}
	if reason, ok := unreachable(err); ok {
		return reason
	}
	return "its answer is not understood"
}

// processReason says how a process failed without its output, which may hold
// the credentials.
func processReason(err error) string {
	var exit *exec.ExitError
	var start *exec.Error
	switch {
	case errors.As(err, &exit):
		return exit.ProcessState.String()
	case errors.As(err, &start):
		return start.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	}
	return "its output is not understood"
}

// unreachable is why no answer came, and whether that was it.
func unreachable(err error) (string, bool) {
	var dns *net.DNSError
	var op *net.OpError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var send *smithyhttp.RequestSendError
	var canceled *aws.RequestCanceledError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name):
		var u *url.Error
		if errors.As(err, &u) {
			return u.Err.Error(), true
		}
		return err.Error(), true
	case errors.As(err, &dns):
		return "looking up " + dns.Name + ": " + dns.Err, true
	case errors.As(err, &op):
		return op.Error(), true
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &canceled):
		return "no answer in time", true
	case errors.As(err, &send):
		var u *url.Error
		if errors.As(err, &u) {
			return u.Err.Error(), true
		}
		return "the request could not be sent", true
	}
	if status := statusOf(err); status >= http.StatusInternalServerError {
		return fmt.Sprintf("it answered %d", status), true
	}
	return "", false
}

// statusOf is the HTTP status of the answer that err is about, 0 if there is none.
func statusOf(err error) int {
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) {
		return status.HTTPStatusCode()
	}
	return 0
}

func inBrackets(status int) string {
	if status == 0 {
		return ""
	}
	return fmt.Sprintf(" (HTTP status %d)", status)
}

// tame cuts what AWS says to its first line, as the lines after it can quote the
// signed request, session token included, and takes access keys out.
func tame(message string) string {
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	message, _, _ = strings.Cut(message, "The Canonical String")
	message = accessKeyID.ReplaceAllString(message, "(access key)")
	const most = 300
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "") + "..."
	}
	return strings.TrimSpace(message)
}

// keyPlaces are where a person finds the parts of the credentials of a method.
type keyPlaces struct{ key, secret, session, renew string }

func keysOf(at place) keyPlaces {
	method := base(at.method)
	if role, _, ok := strings.Cut(at.method, " via "); ok && !at.sourced {
		method = role
	}
	switch {
	case method == "static keys", method == "static session keys":
		return keyPlaces{"`key`", "`secret`", "`session`", "put in a new one with its `key` and `secret`, or use what renews itself: `profile` or a role"}
	case method == "environment":
		return keyPlaces{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "start the collector with a new one, or use what renews itself: `profile` or a role"}
	case strings.HasPrefix(method, "profile "):
		return keyPlaces{"aws_access_key_id of " + method, "aws_secret_access_key of " + method, "aws_session_token of " + method, "renew it there, the file is read again"}
	default:
		given := "what the " + method + " gave"
		return keyPlaces{given, given, given, "new credentials are asked for"}
	}
}

// base is the method that a role is assumed with, or the method itself.
func base(method string) string {
	if i := strings.LastIndex(method, " via "); i >= 0 {
		return method[i+len(" via "):]
	}
	return method
}

// keyHint shows as much of the access key as identifies it to its owner.
func (a *Auth) keyHint(at place) string {
	id := a.opts.AccessKeyID
	if id == "" && !at.sourced {
		a.mu.Lock()
		id = a.creds.AccessKeyID
		a.mu.Unlock()
	}
	if len(id) < 16 {
		return ""
	}
	return fmt.Sprintf(" (it ends in %q)", id[len(id)-4:])
}

func (a *Auth) callerARN() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.caller
}

// streamAccount is the account that the stream is looked for in.
func (a *Auth) streamAccount() string {
	return strings.SplitN(a.streamARN(a.callerARN()), ":", 6)[4]
}

// tokenFile is where the web identity token is.
func tokenFile(s *settings) string {
	if file := os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE"); file != "" || s == nil {
		return file
	}
	return s.shared.WebIdentityTokenFile
}

func (a *Auth) methodNow() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return orWord(a.method, "these credentials")
}
