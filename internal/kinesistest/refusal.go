// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// refusal is an error as AWS answers it.
type refusal struct {
	status  int    // 0: the code's own
	code    string // as in __type or Code
	message string // "": the code's own
}

func (r refusal) Error() string { return r.code + ": " + r.message }

const (
	codeThroughput          = "ProvisionedThroughputExceededException"
	codeMissingAuth         = "MissingAuthenticationTokenException"
	codeIncompleteSignature = "IncompleteSignatureException"
	codeUnrecognizedClient  = "UnrecognizedClientException"
	codeExpiredToken        = "ExpiredTokenException"
	codeInvalidSignature    = "InvalidSignatureException"
	codeAccessDenied        = "AccessDeniedException"
	codeValidation          = "ValidationException"
	codeInvalidArgument     = "InvalidArgumentException"
	codeNotFound            = "ResourceNotFoundException"
	codeSerialization       = "SerializationException"
	codeUnknownOperation    = "UnknownOperationException"
	codeDryRun              = "DryRunOperationException"
)

// errorText is the status and the words that go with a code. The words may
// contain the placeholders of [Server.fill].
type errorText struct {
	status  int
	message string
}

// kinesisErrors are the errors of Kinesis Data Streams: those of PutRecords, and
// the common ones of AWS. Where a 5xx of the service carries no message, neither
// does this one.
var kinesisErrors = map[string]errorText{
	"InternalFailure":             {500, ""},
	"InternalFailureException":    {500, "Internal Service Failure"},
	"ServiceUnavailable":          {503, ""},
	"ServiceUnavailableException": {503, ""},
	"ThrottlingException":         {400, "Rate exceeded"},
	"TooManyRequestsException":    {429, "Too Many Requests"},
	codeThroughput:                {400, "Rate exceeded for shard {shard} in stream {stream} under account {account}."},
	"LimitExceededException":      {400, "Rate exceeded for stream {stream} under account {account}."},
	"KMSThrottlingException":      {400, "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."},
	"KMSDisabledException":        {400, "{key} is disabled."},
	"KMSInvalidStateException":    {400, "{key} is pending deletion."},
	"KMSAccessDeniedException":    {400, "User: {user} is not authorized to perform: kms:GenerateDataKey on resource: {key} because no identity-based policy allows the kms:GenerateDataKey action"},
	"KMSNotFoundException":        {400, "Key '{key}' does not exist"},
	"KMSOptInRequired":            {400, "The AWS Access Key Id needs a subscription for the service"},
	codeNotFound:                  {400, "Stream {stream} under account {account} not found."},
	"ResourceInUseException":      {400, "Stream {stream} under account {account} not ACTIVE, instead in state CREATING"},
	codeInvalidArgument:           {400, "Invalid record in stream {stream} under account {account}."},
	codeValidation:                {400, "1 validation error detected: Value '' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1"},
	codeAccessDenied:              {400, "User: {user} is not authorized to perform: kinesis:{action} on resource: {arn} because no identity-based policy allows the kinesis:{action} action"},
	codeExpiredToken:              {400, "The security token included in the request is expired"},
	"ExpiredToken":                {400, "The security token included in the request is expired"},
	codeUnrecognizedClient:        {400, "The security token included in the request is invalid."},
	"InvalidClientTokenId":        {403, "The security token included in the request is invalid."},
	codeInvalidSignature:          {400, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
	codeIncompleteSignature:       {400, "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256"},
	"IncompleteSignature":         {400, "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256"},
	codeMissingAuth:               {400, "Missing Authentication Token"},
	"RequestExpired":              {400, "Request has expired."},
	"RequestTimeoutException":     {408, "A timeout occurred while trying to communicate with the service"},
	"OptInRequired":               {403, "The AWS Access Key Id needs a subscription for the service"},
	"NotAuthorized":               {400, "You do not have permission to perform this action."},
	codeSerialization:             {400, ""},
	codeUnknownOperation:          {400, ""},
	codeDryRun:                    {400, "The request was rejected because the DryRun parameter was specified."},
	"ExpiredIteratorException":    {400, "Iterator expired."},
}

// stsErrors are the errors of STS.
var stsErrors = map[string]errorText{
	"InternalFailure":            {500, ""},
	"InternalError":              {500, ""},
	"ServiceUnavailable":         {503, ""},
	"Throttling":                 {400, "Rate exceeded"},
	"InvalidClientTokenId":       {403, "The security token included in the request is invalid."},
	"SignatureDoesNotMatch":      {403, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
	"ExpiredToken":               {403, "The security token included in the request is expired"},
	"ExpiredTokenException":      {400, "Token expired: current date/time must be before the expiration date/time"},
	"AccessDenied":               {403, "User: {user} is not authorized to perform: sts:{action} on resource: {role}"},
	"IncompleteSignature":        {400, "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256"},
	"MissingAuthenticationToken": {403, "Request is missing Authentication Token"},
	"RequestExpired":             {400, "Request has expired."},
	"OptInRequired":              {403, "The AWS Access Key Id needs a subscription for the service"},
	"RegionDisabledException":    {403, "STS is not activated in this region for account:{account}. Your account administrator can activate STS in this region using the IAM Console."},
	"InvalidIdentityToken":       {400, "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements"},
	"IDPCommunicationError":      {400, "The request to the identity provider timed out"},
	"IDPRejectedClaim":           {403, "The web identity token that was passed has been rejected by the identity provider"},
	"InvalidAction":              {400, "Could not find operation {action} for version 2011-06-15"},
	"ValidationError":            {400, "1 validation error detected"},
}

// queryCodes are STS's names for what the JSON services call differently.
var queryCodes = map[string]string{
	codeMissingAuth:         "MissingAuthenticationToken",
	codeIncompleteSignature: "IncompleteSignature",
	codeUnrecognizedClient:  "InvalidClientTokenId",
	codeExpiredToken:        "ExpiredToken",
	codeInvalidSignature:    "SignatureDoesNotMatch",
	codeAccessDenied:        "AccessDenied",
}

// forQuery is the same refusal in the words of STS.
func (r refusal) forQuery() refusal {
	if code, ok := queryCodes[r.code]; ok {
		r.code = code
	}
	return r
}

// KinesisErrors gives all error codes of Kinesis that [Refuse] knows.
func KinesisErrors() []string { return sortedKeys(kinesisErrors) }

// STSErrors gives all error codes of STS that [Refuse] knows.
func STSErrors() []string { return sortedKeys(stsErrors) }

// fill replaces the placeholders of an error's words.
func (s *Server) fill(text string, c *call) string {
	if !strings.Contains(text, "{") {
		return text
	}
	stream := c.stream
	user := c.user.ARN
	if user == "" {
		user = s.cfg.userARN()
	}
	return strings.NewReplacer(
		"{shard}", "shardId-000000000000",
		"{stream}", stream,
		"{arn}", s.streamARN(stream),
		"{account}", s.cfg.Account,
		"{region}", s.cfg.Region,
		"{user}", user,
		"{role}", c.role,
		"{action}", c.op,
		"{key}", s.cfg.kmsKeyARN(),
	).Replace(text)
}

// refuse makes the answer to a call that fails.
func (s *Server) refuse(c *call, r refusal) answer {
	table, query := kinesisErrors, c.service == serviceSTS
	if query {
		table = stsErrors
		if _, own := table[r.code]; !own {
			r = r.forQuery()
		}
	}
	known := table[r.code]
	if r.status == 0 {
		r.status = known.status
	}
	if r.status == 0 {
		r.status = 400
	}
	if r.message == "" {
		r.message = known.message
	}
	r.message = s.fill(r.message, c)
	a := answer{status: r.status, contentType: c.contentType, result: strconv.Itoa(r.status) + " " + r.code}
	switch {
	case query:
		a.contentType = "text/xml"
		a.body = queryError(r, c.requestID)
	case c.contentType == typeCBOR:
		a.body = must(cbor.Marshal(r.body()))
	default:
		a.contentType = typeJSON
		a.body = must(json.Marshal(r.body()))
	}
	return a
}

// body is the error in the JSON protocols. The layer that authorises writes
// Message, the service writes message: clients must read both.
func (r refusal) body() map[string]string {
	body := map[string]string{"__type": r.code}
	switch {
	case r.message == "":
	case r.code == codeAccessDenied:
		body["Message"] = r.message
	default:
		body["message"] = r.message
	}
	return body
}

func queryError(r refusal, requestID string) []byte {
	fault := "Sender"
	if r.status >= 500 {
		fault = "Receiver"
	}
	return fmt.Appendf(nil, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>%s</Type>
    <Code>%s</Code>
    <Message>%s</Message>
  </Error>
  <RequestId>%s</RequestId>
</ErrorResponse>
`, fault, xmlText(r.code), xmlText(r.message), requestID)
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// must is for encodings of our own values that cannot fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return append(b, must(json.Marshal(s))...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
