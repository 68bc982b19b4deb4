// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// TestSides runs each side for a few calls, and makes sure that all of them
// send what they say.
func TestSides(t *testing.T) {
	sink, err := StartSink()
	require.NoError(t, err)
	defer func() { require.NoError(t, sink.Close()) }()
	l := Load{RecordBytes: 300, PerCall: 30, Consumers: 3}
	for _, s := range []Side{
		Stock(sink, l), Ours(sink, l, putrecords.JSON), Ours(sink, l, putrecords.CBOR),
		Floor(sink, l, putrecords.JSON), Floor(sink, l, putrecords.CBOR),
	} {
		require.NoError(t, s.Run(7), s.Name)
		u, err := s.measure(20)
		require.NoError(t, err, s.Name)
		require.Positive(t, u.Wall, s.Name)
		require.Positive(t, u.Allocs, s.Name)
		s.Close()
	}
}

// TestFloorSendsTheSameBytes holds the floor's body against ours.
func TestFloorSendsTheSameBytes(t *testing.T) {
	var got []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		_, _ = w.Write(AnswerBody(500, r.Header.Get("Content-Type") == "application/x-amz-cbor-1.1"))
	}))
	defer srv.Close()
	data, keys := Records(500, 333)
	for _, protocol := range []putrecords.Protocol{putrecords.JSON, putrecords.CBOR} {
		c := putrecords.NewClient(putrecords.Config{Stream: Stream, Protocol: protocol, AWS: AWS(srv.URL)})
		r := c.NewRequest()
		for i, d := range data {
			require.Len(t, d, 333)
			require.True(t, r.Append(d, keys[i]))
		}
		answer, err := c.Put(t.Context(), r)
		require.NoError(t, err)
		require.Zero(t, answer)
		require.True(t, bytes.Equal(appendBody(nil, protocol, data, keys), got), "%s", protocol)
		r.Release()
		c.Close()
	}
}

func TestMeasureAndPrint(t *testing.T) {
	calls := 0
	closed := false
	g := Group{
		Name:  "things",
		Slice: time.Microsecond,
		Open: func() ([]Side, error) {
			return []Side{{
				Name: "a", PerCall: 10, Close: func() { closed = true },
				Run: func(n int) error {
					for range n {
						calls++
					}
					return nil
				},
			}}, nil
		},
		Rows: []Row{{Name: "a thing", Value: func(r Round) float64 { return 1 }}},
	}
	results, err := g.Measure(3)
	require.NoError(t, err)
	require.Equal(t, []float64{1, 1, 1}, results[0].Values)
	require.True(t, closed)
	require.Greater(t, calls, 3)

	var out bytes.Buffer
	Print(&out, "things", []Result{
		{Row{Name: "no goal", Unit: "µs"}, []float64{1.25, 900, 12345}},
		{Row{Name: "met", Unit: "×", AtMost: 0.45}, []float64{0.4, 0.44, 0.5}},
		{Row{Name: "missed", Unit: "×", AtMost: 0.45}, []float64{0.4, 0.46, 0.5, 0.6}},
		{Row{Name: "fast enough", Unit: "rec/s", AtLeast: 1000}, []float64{1000}},
		{Row{Name: "too slow", Unit: "rec/s", AtLeast: 1000}, []float64{999}},
	})
	require.Equal(t, `
things
  no goal                                                        900.0 µs       1.25 … 12345
  met                                                             0.44 ×        0.40 … 0.50         at most 0.45      met
  missed                                                          0.48 ×        0.40 … 0.60         at most 0.45      MISSED
  fast enough                                                     1000 rec/s                        at least 1000     met
  too slow                                                       999.0 rec/s                        at least 1000     MISSED
`, out.String())
}

func TestMeasureErrors(t *testing.T) {
	broken := errors.New("broken")
	_, err := Group{Name: "g", Open: func() ([]Side, error) { return nil, broken }}.Measure(1)
	require.EqualError(t, err, "g: broken")
	_, err = Group{Name: "g", Open: func() ([]Side, error) {
		return []Side{{Name: "s", PerCall: 1, Run: func(int) error { return broken }}}, nil
	}}.Measure(1)
	require.EqualError(t, err, "g, s: broken")
}
