// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Class says what to do with the records of a request that failed as a whole.
type Class uint8

const (
	// RetryLater: all of the request again, later. Somebody or time can mend it.
	RetryLater Class = iota
	// Refused: the service refuses something in the request, and would
	// again. Halve it until the guilty record stands alone.
	Refused
	// TooLarge: the request is larger than the endpoint takes. Halve it; a
	// record that is too large when it stands alone cannot be delivered.
	TooLarge
)

// Error says why a request failed as a whole.
type Error struct {
	// Code is AWS's error code, or one of the Code constants of this package
	// when no AWS error was answered.
	Code string
	// Message is AWS's message or the network's, cut to a line. It is empty
	// when it could hold a secret.
	Message string
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Class says what to do with the records.
	Class Class
	// Credentials tells that fresh credentials may mend it.
	Credentials bool
	// MaybeTaken tells that the records may have been taken although nobody
	// said so: sent again they may be duplicates.
	MaybeTaken bool

	text string
	err  error
}

// Codes for what AWS has no code for.
const (
	CodeCredentials = "NoCredentials"   // credentials could not be had; nothing was sent
	CodeConnect     = "ConnectFailed"   // no connection; nothing was sent
	CodeConnection  = "ConnectionLost"  // the connection broke during the call
	CodeTimeout     = "Timeout"         // no answer within Config.Timeout
	CodeCanceled    = "Canceled"        // the caller gave up
	CodeMalformed   = "MalformedAnswer" // a 200 that is not a whole answer for the request
	CodeHTTP        = "HTTPError"       // an HTTP error that is not from AWS
	CodeClient      = "ClientError"     // the request could not be made
)

// Error is one sentence: what happened, what to do about it, and in brackets
// what exactly was said.
func (e *Error) Error() string {
	switch {
	case e.Message == "" && e.Status == 0:
		return e.text
	case e.Message == "":
		return fmt.Sprintf("%s (%s, HTTP %d)", e.text, e.Code, e.Status)
	default:
		return fmt.Sprintf("%s (%s: %s)", e.text, e.Code, e.Message)
	}
}

// Unwrap returns the error of the SDK or the network. Its text is for nobody's
// eyes: it may hold what this Error leaves out.
func (e *Error) Unwrap() error { return e.err }

// answers says what AWS's error codes mean. What is not in it is retried: data
// is not dropped for a code that nobody has seen yet.
var answers = []struct {
	codes       []string
	text        string
	class       Class
	credentials bool
	noMessage   bool
}{
	{
		codes: []string{
			"ProvisionedThroughputExceededException", "LimitExceededException", "ThrottlingException", "Throttling",
			"RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
		},
		text: "Kinesis limits the rate: add shards or make the stream on-demand if this lasts",
	},
	{
		codes: []string{"ResourceNotFoundException"},
		text:  "the stream was not found: create it, or correct `stream`, `region` or the credentials' account",
	},
	{
		codes: []string{"ResourceInUseException"},
		text:  "the stream is not active: wait until it has been created",
	},
	{
		codes: []string{"AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedOperation"},
		text:  "the credentials may not write to the stream: allow kinesis:PutRecords on it",
	},
	{
		codes:       []string{"ExpiredTokenException", "ExpiredToken", "RequestExpired", "TokenRefreshRequired"},
		text:        "the credentials have expired: renew `key`, `secret` and `session`, or use a role",
		credentials: true,
	},
	{
		codes: []string{
			"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "MissingAuthenticationToken",
			"MissingAuthenticationTokenException", "AuthFailure", "NotAuthorizedException",
		},
		text:        "AWS does not know the credentials: correct `key`, `secret` and `session`, or the role",
		credentials: true,
	},
	{
		codes: []string{
			"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException",
			"RequestTimeTooSkewed", "RequestInTheFuture",
		},
		text:        "AWS does not accept the signature: correct `secret`, or this machine's clock",
		credentials: true,
		noMessage:   true, // it quotes the signed headers, and with them the session token
	},
	{
		codes: []string{"OptInRequired", "SubscriptionRequiredException"},
		text:  "the AWS account may not use Kinesis here: enable the service or the region",
	},
	{
		codes: []string{"KMSThrottlingException"},
		text:  "KMS limits the rate for the stream's key: raise its request quota if this lasts",
	},
	{
		codes: []string{
			"KMSDisabledException", "KMSInvalidStateException", "KMSAccessDeniedException", "KMSNotFoundException",
			"KMSOptInRequired",
		},
		text: "the stream's KMS key cannot be used: enable it, and allow kms:GenerateDataKey on it",
	},
	{
		codes: []string{
			"InternalFailure", "InternalFailureException", "InternalServerError", "InternalServerException",
			"InternalError", "ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout",
			"RequestTimeoutException",
		},
		text: "Kinesis has a failure of its own",
	},
	{
		codes: []string{"UnknownOperationException", "UnknownOperation", "InvalidAction"},
		text:  "the endpoint does not know PutRecords: correct `endpoint`",
	},
	{
		codes: []string{
			"InvalidArgumentException", "ValidationException", "ValidationError", "SerializationException",
			"InvalidParameterValue", "InvalidParameterException", "InvalidParameterCombination", "MalformedInput",
			"MissingParameter",
		},
		text:  "Kinesis refuses the request",
		class: Refused,
	},
	{
		codes: []string{"RequestEntityTooLargeException", "RequestEntityTooLarge", "RequestTooLarge", "RequestTooLargeException"},
		text:  "the request is larger than the endpoint takes",
		class: TooLarge,
	},
}

// unknownError is what the SDK calls an error without a code.
const unknownError = "UnknownError"

// newError says what err, which the SDK returned for a call, means.
func newError(ctx context.Context, c *call, timeout time.Duration, err error) *Error {
	e := &Error{err: err, MaybeTaken: c.written()}

	var answered *awshttp.ResponseError
	if errors.As(err, &answered) {
		e.Status = answered.HTTPStatusCode()
	}
	var api smithy.APIError

	switch {
	case c.malformed != nil && ctx.Err() == nil && !timedOut(c.malformed):
		e.Code, e.Message = CodeMalformed, line(c.malformed.Error())
		e.text = "the answer was not a whole answer of Kinesis, something on the way may have cut or replaced it"

	case c.answered && e.Status != 0 && errors.As(err, &api) && api.ErrorCode() != unknownError:
		e.MaybeTaken = false
		e.fromAPI(api)

	case c.answered && e.Status != 0:
		e.fromHTTP()

	case ctx.Err() != nil:
		e.Code, e.text = CodeCanceled, "the call was given up"

	case c.sent && (timedOut(err) || timedOut(c.sendErr) || timedOut(c.malformed)) && !c.notConnected():
		e.Code, e.Status = CodeTimeout, 0
		e.text = fmt.Sprintf("Kinesis did not answer within %s: look at the network, or raise `timeout`", timeout)

	case c.notConnected():
		e.Code, e.MaybeTaken = CodeConnect, false
		e.Message = line(c.sendErr.Error())
		e.text = "cannot connect to Kinesis: check the network, `endpoint`, `region` and the proxy"

	case c.sendErr != nil:
		e.Code, e.Message = CodeConnection, line(c.sendErr.Error())
		e.text = "the connection to Kinesis broke"

	case c.sent:
		e.Code, e.Message = CodeClient, line(inner(err).Error())
		e.text = "the call failed"

	default:
		e.beforeSending(inner(err))
	}
	return e
}

// fromAPI fills in what an error of AWS means.
func (e *Error) fromAPI(api smithy.APIError) {
	e.Code, e.Message = api.ErrorCode(), line(api.ErrorMessage())
	if e.Message == unknownError {
		e.Message = "" // the SDK's word for none
	}
	e.text = "Kinesis did not take the request"
	for i := range answers {
		a := &answers[i]
		if !slices.Contains(a.codes, e.Code) {
			continue
		}
		e.text, e.Class, e.Credentials = a.text, a.class, a.credentials
		if a.noMessage {
			e.Message = ""
		}
		break
	}
	switch {
	case e.Class == Refused && blamesStream(e.Message):
		e.Class, e.text = RetryLater, "Kinesis does not accept the stream: correct `stream`"
	case e.Class == RetryLater && e.Status == http.StatusRequestEntityTooLarge:
		e.Class, e.text = TooLarge, "the request is larger than the endpoint takes"
	}
}

// blamesStream reports whether a refusal is about the name or ARN of the
// stream, for which no record is to blame. A validation error quotes the values
// that it refuses, so words alone count only where no record is named.
func blamesStream(message string) bool {
	m := strings.ToLower(message)
	if strings.Contains(m, "at 'streamname' failed") || strings.Contains(m, "at 'streamarn' failed") {
		return true
	}
	if strings.Contains(m, "records.") || strings.Contains(m, "'records'") {
		return false
	}
	return slices.ContainsFunc([]string{"streamname", "streamarn", "stream name", "stream arn"}, func(s string) bool {
		return strings.Contains(m, s)
	})
}

// fromHTTP fills in what an answer means that is no error of AWS.
func (e *Error) fromHTTP() {
	e.Code = CodeHTTP
	switch s := e.Status; {
	case s == http.StatusRequestEntityTooLarge:
		e.Class, e.text = TooLarge, "the request is larger than the endpoint takes"
	case s == http.StatusTooManyRequests:
		e.text = "the endpoint limits the rate"
	case s == http.StatusProxyAuthRequired:
		e.text = "the proxy asks for authentication: write user and password into its URL"
	case s < 400:
		e.text = "the endpoint sends elsewhere, which is not followed: correct `endpoint`"
	case s < 500:
		e.text = "the endpoint does not answer as Kinesis does: correct `endpoint`, or look at the proxy"
	default:
		e.text = "something between here and Kinesis fails, or Kinesis itself"
	}
	// A gateway that could not reach Kinesis says 503; the other errors of
	// gateways can come after Kinesis has taken the records.
	if s := e.Status; s < 500 && s != http.StatusRequestTimeout || s == http.StatusServiceUnavailable {
		e.MaybeTaken = false
	}
}

// beforeSending fills in why nothing was sent.
func (e *Error) beforeSending(err error) {
	e.MaybeTaken = false
	e.Message = line(err.Error())
	if strings.Contains(e.Message, "get identity") {
		e.Code, e.Credentials = CodeCredentials, true
		e.text = "no credentials to sign with: give `key` and `secret`, or mend the role or the profile"
		return
	}
	e.Code, e.text = CodeClient, "the request could not be made: look at `region` and `endpoint`"
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// inner is err without the SDK's note which operation failed.
func inner(err error) error {
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// userinfo is what a URL may hold before its host: a user and a password.
var userinfo = regexp.MustCompile(`://[^/\s]*@`)

// line makes one line of at most maxLine bytes out of somebody else's text,
// without the passwords of URLs.
func line(s string) string {
	const maxLine = 400
	s = userinfo.ReplaceAllString(s, "://")
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxLine {
		return s
	}
	cut := maxLine
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
