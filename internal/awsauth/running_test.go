// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// sendFor sends a record every five seconds and fails the test over the first
// that does not arrive. It gives how many there were.
func (b *bench) sendFor(d time.Duration) int {
	b.t.Helper()
	client := b.client()
	n := 0
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Second) {
		require.NoError(b.t, b.put(b.t.Context(), client, fmt.Sprintf("record %d at %s", n, time.Now())))
		n++
	}
	return n
}

// refusals counts the PutRecords calls that were answered with an error.
func (b *bench) refusals() int {
	n := 0
	for _, c := range b.srv.Calls("PutRecords") {
		if c.Result != "200" && c.Result != "400 DryRunOperationException" {
			n++
		}
	}
	return n
}

func TestSTSDownAtFirst(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		o := Options{}
		withStatic(&o, srv)
		srv.Down()
		b := newBench(t, srv, o).run()

		const records = 100
		client := b.client()
		var wg sync.WaitGroup
		for i := range records {
			wg.Go(func() { require.NoError(t, b.put(t.Context(), client, fmt.Sprint("record ", i))) })
		}
		time.Sleep(10 * time.Minute)
		require.Zero(t, srv.Stream("logs").Len())
		require.NoError(t, srv.Up())
		wg.Wait()
		require.Equal(t, records, srv.Stream("logs").Len())
		synctest.Wait()

		// Told when it began and when it was over, asked in between: after 1, 2,
		// 4 ... seconds, then each minute, or up to twice as often.
		require.Equal(t, []string{
			"WARN AWS credentials or permissions are not in order.",
			"INFO AWS credentials are proven.",
			"INFO AWS credentials and permissions are in order now.",
		}, b.messages())
		b.net.mu.Lock()
		defer b.net.mu.Unlock()
		tries := 0
		for _, addr := range b.net.asked {
			if addr == "sts.us-east-1.amazonaws.com:443" {
				tries++
			}
		}
		require.GreaterOrEqual(t, tries, 10)
		require.LessOrEqual(t, tries, 30)
	})
}

func TestDelays(t *testing.T) {
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		want *= time.Second
		require.Equal(t, want, delay(n))
		for range 100 {
			got := jittered(n)
			require.LessOrEqual(t, got, want)
			require.GreaterOrEqual(t, got, max(want/2, time.Second))
		}
	}
	require.Equal(t, time.Minute, delay(1000))
}

func TestKeysRotatedInAFile(t *testing.T) {
	_, file := cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		first := srv.Credentials()
		writeCredentials(t, file, "shipper", first)
		b := newBench(t, srv, Options{Profile: "shipper"}).run()
		sent := b.sendFor(time.Minute)

		// The administrator makes a new key, writes it down, and only then
		// removes the old one.
		second := kinesistest.Credentials{AccessKeyID: "AKIASECOND0000000002", SecretAccessKey: "SEKRIT2"}
		srv.SetCredentials(second)
		writeCredentials(t, file, "shipper", second)
		sent += b.sendFor(time.Minute)
		require.Zero(t, b.refusals())
		srv.RemoveCredentials(first.AccessKeyID)
		sent += b.sendFor(time.Minute)
		require.Equal(t, 1, b.refusals())
		require.Empty(t, b.said(), "nothing to complain about: the new key was there")

		// The next one removes the old key first.
		third := kinesistest.Credentials{AccessKeyID: "AKIATHIRD00000000003", SecretAccessKey: "SEKRIT3"}
		srv.RemoveCredentials(second.AccessKeyID)
		time.AfterFunc(90*time.Second, func() {
			srv.SetCredentials(third)
			writeCredentials(t, file, "shipper", third)
		})
		sent += b.sendFor(5 * time.Minute)
		require.Equal(t, sent, srv.Stream("logs").Len())
		require.Equal(t, []string{
			"the access key in aws_access_key_id of profile \"shipper\" (it ends in \"0002\") does not exist or is not active (InvalidClientTokenId from STS): correct it",
			"ok",
		}, b.said())
	})
}

func TestSessionsAreRenewedBeforeTheyEnd(t *testing.T) {
	for _, life := range []time.Duration{time.Hour, 15 * time.Minute, time.Minute} {
		t.Run(life.String(), func(t *testing.T) {
			cleanEnv(t)
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				srv.SetRole(kinesistest.Role{ARN: writerARN, Lifetime: life})
				o := Options{RoleARN: writerARN}
				withStatic(&o, srv)
				b := newBench(t, srv, o).run()
				sent := b.sendFor(3 * life)
				require.Equal(t, sent, srv.Stream("logs").Len())
				require.Zero(t, b.refusals())
				require.Empty(t, b.said())
				require.InDelta(t, 4, len(srv.Calls("AssumeRole")), 1)
			})
		})
	}
}

func TestRefreshThatFailsCostsNothingWhileTheOldWork(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.SetRole(kinesistest.Role{ARN: writerARN})
		o := Options{RoleARN: writerARN}
		withStatic(&o, srv)
		b := newBench(t, srv, o).run()
		start := time.Now()
		sent := b.sendFor(50 * time.Minute)
		mend := srv.Fail(kinesistest.Fault{Op: "AssumeRole", Do: kinesistest.Refuse("ServiceUnavailable")})

		// The old session ends after an hour; until then nobody is held up.
		sent += b.sendFor(9 * time.Minute)
		require.Zero(t, b.refusals())
		require.Equal(t, sent, srv.Stream("logs").Len())
		ends := start.Add(time.Hour).UTC().Format(time.RFC3339)
		require.Equal(t, []string{
			"STS at sts.us-east-1.amazonaws.com answered ServiceUnavailable; those at hand are used until " + ends,
		}, b.said())

		// Then they wait, and nothing is lost.
		time.AfterFunc(10*time.Minute, mend)
		sent += b.sendFor(15 * time.Minute)
		require.Equal(t, sent, srv.Stream("logs").Len())
		require.Len(t, b.said(), 2)
		require.Equal(t, "ok", b.said()[1])
	})
}

func TestExpiredAnswerIsMended(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.SetRole(kinesistest.Role{ARN: writerARN})
		o := Options{RoleARN: writerARN}
		withStatic(&o, srv)
		b := newBench(t, srv, o).run()
		sent := b.sendFor(time.Minute)

		// Somebody revokes the role's sessions.
		b.auth.mu.Lock()
		old := b.auth.creds.AccessKeyID
		b.auth.mu.Unlock()
		c := kinesistest.Credentials{AccessKeyID: old, Expires: time.Now()}
		c.SecretAccessKey, c.SessionToken = b.auth.creds.SecretAccessKey, b.auth.creds.SessionToken
		srv.SetCredentials(c)
		sent += b.sendFor(time.Minute)
		require.Equal(t, sent, srv.Stream("logs").Len())
		require.Equal(t, 1, b.refusals())
		require.Len(t, srv.Calls("AssumeRole"), 2)
		// A refusal is a reason to prove the identity again.
		require.Len(t, srv.Calls("GetCallerIdentity"), 2)
	})
}

func TestRefusedForLongIsNotHammered(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.SetRole(kinesistest.Role{ARN: writerARN})
		o := Options{RoleARN: writerARN}
		withStatic(&o, srv)
		b := newBench(t, srv, o).run()
		client := b.client()
		require.NoError(t, b.auth.Wait(t.Context()))
		srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse("ExpiredTokenException"), For: 5 * time.Minute})

		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() { require.NoError(t, b.put(t.Context(), client, fmt.Sprint("record ", i))) })
		}
		wg.Wait()
		require.Equal(t, 10, srv.Stream("logs").Len())
		// Ten senders were refused each second for five minutes.
		require.Greater(t, b.refusals(), 10*250)
		require.Less(t, len(srv.Calls("AssumeRole")), 25)
		require.Less(t, len(srv.Calls("GetCallerIdentity")), 25)
	})
}

func TestInstanceRoleInAnOutageOfTheMetadataService(t *testing.T) {
	cleanEnv(t)
	instance := &issuer{life: 6 * time.Hour}
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", startIMDS(t, instance))
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		instance.srv.Store(srv)
		b := newBench(t, srv, Options{}).run()
		sent := b.sendFor(time.Minute)
		// The SDK has the instance's keys asked for each hour, whatever their
		// life. They are good for much longer than this outage.
		instance.broken.Store(true)
		sent += b.sendFor(5 * time.Hour)
		require.Equal(t, sent, srv.Stream("logs").Len())
		require.Len(t, b.said(), 1)
		require.Contains(t, b.said()[0], "the metadata service answered 500")
		require.Contains(t, b.said()[0], "; those at hand are used until AWS refuses them")
		instance.broken.Store(false)
		sent += b.sendFor(10 * time.Minute)
		require.Equal(t, sent, srv.Stream("logs").Len())
		require.Zero(t, b.refusals())
	})
}

func TestManyRequestsCauseOneFetch(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.SetRole(kinesistest.Role{ARN: writerARN})
		o := Options{RoleARN: writerARN}
		withStatic(&o, srv)
		b := newBench(t, srv, o)
		defer b.auth.end()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				creds, err := b.auth.Retrieve(t.Context())
				require.NoError(t, err)
				require.Equal(t, "111122223333", creds.AccountID)
			})
		}
		wg.Wait()
		require.Len(t, srv.Calls("AssumeRole"), 1)
	})
}

func TestWaitGivesUpWithTheReason(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		b := newBench(t, srv, Options{Profile: "missing"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.EqualError(t, b.auth.Wait(ctx), "the AWS credentials are not proven yet: context deadline exceeded")

		b.run()
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := b.auth.Wait(ctx)
		require.ErrorContains(t, err, "the profile \"missing\" of `profile` is in none of")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var f *Failure
		require.ErrorAs(t, err, &f)
		require.Equal(t, KindSettings, f.Kind)

		_, err = b.auth.Config(t.Context())
		require.ErrorContains(t, err, "the profile \"missing\" of `profile` is in none of")
	})
}

func TestExplain(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		o := Options{}
		withStatic(&o, srv)
		b := newBench(t, srv, o).run()
		require.NoError(t, b.auth.Wait(t.Context()))
		for code, want := range map[string]string{
			"AccessDeniedException":                  "is not allowed kinesis:PutRecords on arn:aws:kinesis:us-east-1:111122223333:stream/logs",
			"ExpiredTokenException":                  "the session in `session` is over (ExpiredTokenException from Kinesis)",
			"ResourceNotFoundException":              "the stream \"logs\" does not exist",
			"ProvisionedThroughputExceededException": "",
			"InvalidArgumentException":               "",
		} {
			err := b.auth.Explain(&smithy.OperationError{ServiceID: "Kinesis", OperationName: "PutRecords", Err: &smithy.GenericAPIError{Code: code}})
			if want == "" {
				require.NoError(t, err)
				continue
			}
			require.ErrorContains(t, err, want)
		}
		require.NoError(t, b.auth.Explain(errors.New("something else")))
		require.False(t, b.auth.Refused(errors.New("something else")))
		require.False(t, b.auth.Refused(&smithy.GenericAPIError{Code: "AccessDeniedException"}))
		require.True(t, b.auth.Refused(&smithy.GenericAPIError{Code: "InvalidSignatureException"}))
	})
}

func TestDryRunThatIsThrottledProvesEnough(t *testing.T) {
	cleanEnv(t)
	for _, code := range []string{"ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				o := Options{}
				withStatic(&o, srv)
				srv.Fail(kinesistest.Fault{Do: kinesistest.Refuse(code)})
				b := newBench(t, srv, o).run()
				time.Sleep(time.Hour)
				require.Empty(t, b.said())
				require.Len(t, srv.Calls("PutRecords"), 1)
			})
		})
	}
}
