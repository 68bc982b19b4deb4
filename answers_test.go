// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// TestEveryAnswer sends records while Kinesis answers in one way for five seconds, with both kinds of queue, and looks
// at what becomes of them.
func TestEveryAnswer(t *testing.T) {
	const again, dropped, twice = "again", "dropped", "maybe twice"
	effects := map[string]struct {
		effect kinesistest.Effect
		want   string
	}{
		"entry InternalFailure":          {kinesistest.FailEntry("InternalFailure"), again},
		"entry throttled":                {kinesistest.ThrottleEntry(), again},
		"entry with an unknown code":     {kinesistest.FailEntry("SomethingNewException"), again},
		"entry KMS":                      {kinesistest.FailEntry("KMSThrottlingException"), again},
		"entry InvalidArgument":          {kinesistest.FailEntry("InvalidArgumentException"), dropped},
		"proxy 502":                      {kinesistest.HTML(http.StatusBadGateway), again},
		"proxy 503":                      {kinesistest.HTML(http.StatusServiceUnavailable), again},
		"proxy 504":                      {kinesistest.HTML(http.StatusGatewayTimeout), again},
		"429":                            {kinesistest.Answer(http.StatusTooManyRequests, "TooManyRequestsException", "Slow down."), again},
		"unknown error":                  {kinesistest.Answer(http.StatusBadRequest, "SomethingNewException", "New."), again},
		"redirect":                       {kinesistest.Redirect("http://127.0.0.1:1/"), again},
		"reset before the body is read":  {kinesistest.Reset(), again},
		"empty 200":                      {kinesistest.Raw(http.StatusOK, "application/x-amz-json-1.1", nil), again},
		"200 of a proxy":                 {kinesistest.HTML(http.StatusOK), again},
		"200 that is not an answer":      {kinesistest.Raw(http.StatusOK, "application/x-amz-json-1.1", []byte(`{"ok":true}`)), again},
		"no answer":                      {kinesistest.Hang(), again},
		"answer lost":                    {kinesistest.Lose(), twice},
		"answer cut":                     {kinesistest.Cut(-1), twice},
		"answer never comes, but taken":  {kinesistest.HangTaken(), twice},
		"answer compressed":              {kinesistest.Gzip(), again},
		"slow answer":                    {kinesistest.Delay(time.Second, time.Second), again},
		"request refused as not allowed": {kinesistest.Answer(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "Too large."), dropped},
	}
	for _, code := range kinesistest.KinesisErrors() {
		want := again
		switch code {
		case "InvalidArgumentException", "ValidationException", "SerializationException":
			want = dropped
		case "DryRunOperationException":
			continue // the answer to a dry run, which has no records
		}
		effects["error "+code] = struct {
			effect kinesistest.Effect
			want   string
		}{kinesistest.Refuse(code), want}
	}
	for name, tt := range effects {
		for queue, config := range map[string]func(*Config){"memory": func(*Config) {}, "file_storage": persistentQueue} {
			t.Run(name+"/"+queue, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const n = 1200
					server := newServer(t, nil)
					server.Fail(kinesistest.Fault{For: 5 * time.Second, Do: tt.effect})
					r := newRig(t, server, config)
					stop := r.withStorage(t.TempDir())
					r.start()
					r.send(n, 100)
					time.Sleep(5 * time.Minute)
					r.shutdown()
					stop()
					tally := r.tally()
					switch tt.want {
					case again:
						assert.Zero(t, tally.Missing)
						assert.Zero(t, tally.Duplicates)
					case twice:
						assert.Zero(t, tally.Missing)
						require.Positive(t, tally.Duplicates)
						assert.Equal(t, int64(tally.Duplicates), r.sum("possible_duplicates"))
					case dropped:
						assert.Equal(t, n, tally.Missing)
						assert.Equal(t, int64(n), r.sum("records", "outcome", "dropped"))
					}
					r.balanced()
				})
			})
		}
	}
}
