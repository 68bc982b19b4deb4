// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// fetch is one request for new credentials, which many requests may wait for.
type fetch struct{ done chan struct{} }

const (
	minDelay = time.Second
	maxDelay = time.Minute

	// refreshWindow is how long before their end credentials are replaced.
	refreshWindow = 5 * time.Minute
	// fetchTimeout bounds one fetch, whatever the source of credentials does.
	fetchTimeout = time.Minute
)

// Retrieve is what signs: it implements aws.CredentialsProvider.
//
// It differs from the SDK's cache in what users of long-running shippers need.
// Credentials are replaced in the background before they end, while requests
// go on with what works; a refresh that fails costs nothing until they do end;
// and when AWS refuses them everything is read again, files included.
func (a *Auth) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return a.retrieve(ctx, false)
}

// retrieve asks the source at once, also soon after a failure, when now is true
// and there is nothing that can be used or it is due.
func (a *Auth) retrieve(ctx context.Context, now bool) (aws.Credentials, error) {
	a.mu.Lock()
	if a.fetching == nil && a.due() && (now || a.mayFetch()) {
		a.fetching = &fetch{done: make(chan struct{})}
		go a.fetch(a.fetching)
	}
	f := a.fetching
	wait := f != nil && !a.usable()
	// The check wants to know how the refresh went, not what still works.
	wait = wait || f != nil && now
	a.mu.Unlock()

	if wait {
		select {
		case <-f.done:
		case <-ctx.Done():
			return aws.Credentials{}, ctx.Err()
		}
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case now && a.fetchErr != nil:
		return aws.Credentials{}, a.fetchErr
	case a.usable() || a.have && a.fetchErr == nil:
		creds := a.creds
		if creds.AccountID == "" {
			// For account-based endpoints, which the SDK fills in itself for
			// most methods but not for all.
			creds.AccountID = a.account
		}
		return creds, nil
	case a.fetchErr != nil:
		return aws.Credentials{}, a.fetchErr
	}
	return aws.Credentials{}, errNoKeys
}

// usable reports whether a request may be signed with the credentials at hand.
// Those of an instance live longer than the SDK says, which has them asked for
// each hour; in an outage of the metadata service they go on until AWS refuses
// them.
func (a *Auth) usable() bool {
	return a.have && !a.refused && (!a.creds.Expired() || a.method == methodInstance)
}

// due reports whether the source should be asked.
func (a *Auth) due() bool {
	return !a.have || a.refused || !a.refreshAt.IsZero() && !time.Now().Before(a.refreshAt)
}

// mayFetch keeps a source that fails, or gives keys that are refused, from
// being asked by every request.
func (a *Auth) mayFetch() bool {
	n := max(a.failures, a.refusals)
	return n == 0 || time.Since(a.lastFetch) >= delay(n-1)
}

// delay is the longest time to wait after n+1 failures in a row.
func delay(n int) time.Duration {
	if n >= 6 {
		return maxDelay
	}
	return min(minDelay<<n, maxDelay)
}

// jittered is a random time in the upper half of delay(n).
func jittered(n int) time.Duration {
	d := delay(n)
	return max(d/2+rand.N(d/2+1), minDelay)
}

// fetch asks the source and keeps what it answers. It runs detached from the
// request that needed it: others wait for the same answer.
func (a *Auth) fetch(f *fetch) {
	ctx, cancel := context.WithTimeout(a.life, fetchTimeout)
	defer cancel()
	creds, method, err := a.ask(ctx)
	if err != nil {
		err = a.explain(err, a.current())
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	defer close(f.done)
	a.fetching, a.fetchErr = nil, err
	if err != nil {
		a.lastFetch = time.Now()
		a.failures++
		// Visible at once, though what there is may work for some time yet.
		a.checkAgain()
		return
	}
	switch {
	case !a.refused:
		a.refusals = 0
	case time.Since(a.lastFetch) > 2*maxDelay:
		a.refusals = 1
	default:
		a.refusals++
	}
	a.lastFetch = time.Now()
	a.failures = 0
	a.creds, a.method, a.have, a.refused = creds, method, true, false
	a.refreshAt = refreshTime(creds)
}

func (a *Auth) ask(ctx context.Context) (aws.Credentials, string, error) {
	s, err := a.loadSettings(ctx)
	if err != nil {
		return aws.Credentials{}, "", err
	}
	provider, method, err := a.source(ctx, s)
	if err != nil {
		return aws.Credentials{}, "", err
	}
	creds, err := provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, "", &sourceError{method, err}
	}
	if !creds.HasKeys() {
		return aws.Credentials{}, "", &sourceError{method, errNoKeys}
	}
	return creds, method, nil
}

// refreshTime is a random moment in the window before creds end, sooner for
// those that live shortly. What a source hands out late, IMDS in an outage even
// past the end, is asked for again after a minute.
func refreshTime(creds aws.Credentials) time.Time {
	if !creds.CanExpire {
		return time.Time{}
	}
	now := time.Now()
	left := creds.Expires.Sub(now)
	window := min(refreshWindow, left/5)
	at := creds.Expires.Add(-window - rand.N(max(window/5, 1)))
	if earliest := now.Add(minDelay); at.Before(earliest) {
		if left <= 0 {
			return now.Add(maxDelay)
		}
		return earliest
	}
	return at
}

// Refused takes an error that a request was answered with and reports whether
// it says that AWS does not accept the credentials. The next request is then
// signed with credentials that are read anew, and Run proves those. Records are
// never lost over it: the request is to be made again.
func (a *Auth) Refused(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch failureKind(api.ErrorCode()) {
	case KindUnknownKey, KindWrongSecret, KindExpired:
	default:
		return false
	}
	a.mu.Lock()
	a.refused = a.have
	a.mu.Unlock()
	a.checkAgain()
	return true
}

// checkAgain wakes Run, if it sleeps because all was well.
func (a *Auth) checkAgain() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// sourceError is a failure to get credentials by the given method.
type sourceError struct {
	method string
	err    error
}

func (e *sourceError) Error() string { return e.method + ": " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }
