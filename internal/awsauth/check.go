// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"go.uber.org/zap"
)

// checkTimeout bounds one check: credentials, identity and permission.
const checkTimeout = 30 * time.Second

// Run proves the credentials and returns when ctx ends. What fails is repeated
// after 1 s to 1 min; once all is well it sleeps until Refused, or a refresh
// that fails, gives a reason to check again. Call it once.
func (a *Auth) Run(ctx context.Context) {
	defer a.end()
	stop := context.AfterFunc(ctx, a.end)
	defer stop()

	var state reporter
	for failures := 0; ; {
		select {
		case <-a.wake: // what woke us is seen to now
		default:
		}
		err := a.check(ctx)
		if ctx.Err() != nil {
			return
		}
		state.report(a, err)

		var again <-chan time.Time
		wake := a.wake
		if err != nil {
			again = time.After(jittered(failures))
			failures++
			wake = nil // a refusal is no news now
		} else {
			failures = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-wake:
			// Many requests may be refused at once, and for long.
			select {
			case <-ctx.Done():
				return
			case <-time.After(minDelay):
			}
		}
	}
}

// check makes the way of a record without a record: get credentials, prove
// them, and ask Kinesis whether it would take one.
func (a *Auth) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()

	s, err := a.loadSettings(ctx)
	if err != nil {
		return a.explain(err, nil)
	}
	if _, err := a.retrieve(ctx, true); err != nil {
		return a.stillGood(a.explain(err, s))
	}
	if err := a.proveIdentity(ctx, s); err != nil {
		return a.explain(err, s)
	}
	if err := a.provePermission(ctx, s); err != nil {
		return a.explain(err, s)
	}
	return nil
}

// stillGood adds to f, the failure of a refresh, how long nobody needs it.
func (a *Auth) stillGood(f *Failure) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.usable() {
		return f
	}
	until := a.creds.Expires.UTC().Format(time.RFC3339)
	if a.method == methodInstance {
		until = "AWS refuses them"
	}
	return &Failure{
		Kind:     f.Kind,
		Sentence: f.Sentence + "; those at hand are used until " + until,
		code:     f.code,
		err:      f.err,
	}
}

// proveIdentity calls sts:GetCallerIdentity and opens the way for records.
func (a *Auth) proveIdentity(ctx context.Context, s *settings) error {
	var seen answer
	out, err := s.identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.Options) {
		o.HTTPClient = &witness{o.HTTPClient, &seen}
	})
	if seen.isNotSTS() && s.stsURL != "" {
		// Not the credentials' fault, and nobody else is known who could judge
		// them: Kinesis will.
		a.proven(ctx, s, "", "")
		return nil
	}
	if err != nil {
		a.Refused(err) // the next check reads the keys again
		return err
	}
	if aws.ToString(out.Arn) == "" {
		return errors.New("STS told no identity")
	}
	a.proven(ctx, s, aws.ToString(out.Account), aws.ToString(out.Arn))
	return nil
}

// proven remembers the identity, says it when it is new, and lets records go.
func (a *Auth) proven(ctx context.Context, s *settings, account, arn string) {
	host, err := s.kinesisHost(ctx, account)
	if err != nil {
		host = s.kinesisURL
	}
	a.mu.Lock()
	changed := arn != a.caller
	a.account, a.caller = account, arn
	method := a.method
	a.mu.Unlock()

	first := false
	select {
	case <-a.ready:
	default:
		first = true
		close(a.ready)
	}
	if !first && !changed {
		return
	}
	fields := []zap.Field{
		zap.String("method", method),
		zap.String("region", a.opts.Region),
		zap.String("host", host),
	}
	if arn == "" {
		a.opts.Logger.Warn("The endpoint does not speak STS, so nobody could be asked who the AWS credentials belong to; records are sent. "+
			"Set `sts_endpoint` to have them checked.", append(fields, zap.String("asked", s.stsURL))...)
		return
	}
	a.opts.Logger.Info("AWS credentials are proven.", append([]zap.Field{
		zap.String("account", account), zap.String("arn", arn),
	}, fields...)...)
}

// provePermission asks Kinesis whether it would take a record. A custom
// endpoint is not asked: emulators do not know DryRun and would write it.
func (a *Auth) provePermission(ctx context.Context, s *settings) error {
	if s.kinesisURL != "" {
		return nil
	}
	in := &kinesis.PutRecordsInput{
		DryRun:  aws.Bool(true),
		Records: []types.PutRecordsRequestEntry{{Data: []byte("{}"), PartitionKey: aws.String("dry-run")}},
	}
	if a.stream.arn != "" {
		in.StreamARN = &a.stream.arn
	} else {
		in.StreamName = &a.stream.name
	}
	_, err := s.kinesis.PutRecords(ctx, in)
	var ok *types.DryRunOperationException
	var api smithy.APIError
	switch {
	case err == nil, errors.As(err, &ok):
		return nil
	case errors.As(err, &api) && isThrottle(api.ErrorCode()):
		return nil // what is throttled is allowed
	}
	a.Refused(err)
	return err
}

func isThrottle(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok || code == "KMSThrottlingException"
}

// reporter passes on changes only.
type reporter struct{ last string }

func (r *reporter) report(a *Auth, err error) {
	a.mu.Lock()
	a.lastFailure = err
	a.mu.Unlock()
	if err == nil {
		if r.last != "" {
			r.last = ""
			a.opts.Logger.Info("AWS credentials and permissions are in order now.")
			a.opts.Report(nil)
		}
		return
	}
	what := err.Error()
	var f *Failure
	if errors.As(err, &f) {
		what = string(f.Kind) // the sentence may tell the time
		if f.Kind == KindUnknown {
			what += " " + f.code
		}
	}
	if r.last == what {
		return
	}
	r.last = what
	a.opts.Logger.Warn("AWS credentials or permissions are not in order.", zap.String("reason", err.Error()))
	a.opts.Report(err)
}

// answer is what can be seen of an answer without understanding it.
type answer struct {
	status int
	xml    []byte // how the body begins
}

// isNotSTS reports that the answer came from something that does not speak the
// protocol of STS, whose errors and results are XML documents of their own
// names. Failures on the way, such as a gateway's, prove nothing.
func (w *answer) isNotSTS() bool {
	switch {
	case w.status < 200 || w.status >= 500 || w.status == http.StatusTooManyRequests || w.status == http.StatusProxyAuthRequired:
		return false
	}
	return !bytes.Contains(w.xml, []byte("<ErrorResponse")) && !bytes.Contains(w.xml, []byte("<GetCallerIdentityResponse"))
}

// witness is an HTTP client that notes how the answer begins.
type witness struct {
	client sts.HTTPClient
	seen   *answer
}

func (w *witness) Do(req *http.Request) (*http.Response, error) {
	resp, err := w.client.Do(req)
	if err != nil {
		return resp, err
	}
	head := make([]byte, 1024)
	n, _ := io.ReadFull(resp.Body, head) // what fails here fails again for the SDK
	w.seen.status, w.seen.xml = resp.StatusCode, head[:n]
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head[:n]), resp.Body), resp.Body}
	return resp, nil
}
