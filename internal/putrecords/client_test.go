// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

var bothProtocols = []Protocol{JSON, CBOR}

// withTLS makes a client trust the server, if that speaks TLS.
func withTLS(srv *kinesistest.Server) func(*Config) {
	return func(c *Config) {
		if strings.HasPrefix(srv.URL(), "https:") {
			c.TLS = &tls.Config{RootCAs: srv.CertPool(), MinVersion: tls.VersionTLS12}
		}
	}
}

// arrived lists the records that the stream holds, as data and key.
func arrived(srv *kinesistest.Server, stream string) []string {
	var all []string
	for r := range srv.Stream(stream).Records() {
		all = append(all, fmt.Sprintf("%q %q", r.Data, r.Key))
	}
	slices.Sort(all)
	return all
}

// TestPut sends records of all sorts and sizes over plain HTTP and over TLS, by
// name and by ARN, in both protocols, and looks at what the stream holds.
func TestPut(t *testing.T) {
	for _, protocol := range bothProtocols {
		for _, secure := range []bool{false, true} {
			for _, byARN := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, TLS %t, ARN %t", protocol, secure, byARN), func(t *testing.T) {
					srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, Shards: 4, TLS: secure})
					c := newTestClient(t, srv, withTLS(srv), func(c *Config) {
						c.Protocol = protocol
						if byARN {
							c.Stream = srv.Stream(testStream).ARN()
						}
					})
					rng := rand.New(rand.NewPCG(1, 2))
					var want []string
					for _, n := range []int{1, 2, 300} {
						r := c.NewRequest()
						for range n {
							data := randomBytes(rng, 1+rng.IntN(3000))
							key := ""
							for key == "" {
								key = string([]rune(randomKey(rng)))
							}
							require.True(t, r.Append(data, key))
							want = append(want, fmt.Sprintf("%q %q", data, key))
						}
						answer, err := c.Put(t.Context(), r)
						require.NoError(t, err)
						require.Zero(t, answer)
						require.False(t, r.lent, "the body is free again")
						r.Release()
					}
					slices.Sort(want)
					require.Equal(t, want, arrived(srv, testStream))
				})
			}
		}
	}
}

// TestPutFullRequest sends 10 MiB, which does not pass through any buffer at once.
func TestPutFullRequest(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, TLS: true})
	for _, protocol := range bothProtocols {
		c := newTestClient(t, srv, withTLS(srv), func(c *Config) { c.Protocol = protocol })
		r := c.NewRequest()
		for r.Append(make([]byte, 100<<10), "key") {
		}
		require.Equal(t, 102, r.Len())
		answer, err := c.Put(t.Context(), r)
		require.NoError(t, err)
		require.Zero(t, answer)
		r.Release()
	}
	require.Equal(t, 204, srv.Stream(testStream).Len())
}

// TestPutPartialFailure fails some entries and sends just these again.
func TestPutPartialFailure(t *testing.T) {
	for _, protocol := range bothProtocols {
		t.Run(string(protocol), func(t *testing.T) {
			srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, Shards: 2})
			c := newTestClient(t, srv, func(c *Config) { c.Protocol = protocol })
			srv.Fail(kinesistest.Fault{
				Times: 100, Share: 0.3, Seed: 1, Do: kinesistest.ThrottleEntry(),
			})
			r := c.NewRequest()
			fill(t, r, 200)
			answer, err := c.Put(t.Context(), r)
			require.NoError(t, err)
			require.Len(t, answer.Results, 200)
			require.Equal(t, 200-answer.Failed, srv.Stream(testStream).Len())
			again := c.NewRequest()
			for i, res := range answer.Results {
				require.Equal(t, srv.Stream(testStream).ShardOf(r.Key(i)), res.ShardID, "also of the failed ones, from the message")
				if res.ErrorCode == "" {
					continue
				}
				require.Equal(t, "ProvisionedThroughputExceededException", res.ErrorCode)
				require.True(t, again.AppendEntry(r.Entry(i)))
			}
			require.Equal(t, answer.Failed, again.Len())
			require.Greater(t, answer.Failed, 20)
			r.Release()
			for again.Len() > 0 {
				answer, err = c.Put(t.Context(), again)
				require.NoError(t, err)
				next := c.NewRequest()
				for i, res := range answer.Results {
					if res.ErrorCode != "" {
						next.AppendEntry(again.Entry(i))
					}
				}
				again.Release()
				again = next
			}
			again.Release()
			var want []string
			for i := range 200 {
				want = append(want, fmt.Sprintf("%q %q", fmt.Sprintf("record %d", i), fmt.Sprintf("key %d", i)))
			}
			slices.Sort(want)
			require.Equal(t, want, arrived(srv, testStream), "each one exactly once")
		})
	}
}

// TestPutAgain sends a request again that failed as a whole.
func TestPutAgain(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
	c := newTestClient(t, srv)
	srv.Fail(kinesistest.Fault{Times: 2, Do: kinesistest.HTML(503)})
	r := c.NewRequest()
	defer r.Release()
	fill(t, r, 5)
	for range 2 {
		_, err := c.Put(t.Context(), r)
		require.Error(t, err)
		require.True(t, r.lent, "after an error net/http may still be reading")
	}
	answer, err := c.Put(t.Context(), r)
	require.NoError(t, err)
	require.Zero(t, answer)
	require.True(t, r.lent, "the first call may be reading still")
	require.Equal(t, 5, srv.Stream(testStream).Len())
}

// TestPutGzip answers compressed, which nobody asked for.
func TestPutGzip(t *testing.T) {
	for _, protocol := range bothProtocols {
		srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
		c := newTestClient(t, srv, func(c *Config) { c.Protocol = protocol })
		srv.Fail(kinesistest.Fault{Times: 1, Do: kinesistest.Gzip()})
		answer, err := put(t, c, 3)
		require.NoError(t, err)
		require.Zero(t, answer)
		srv.Fail(kinesistest.Fault{Share: 0.5, Seed: 3, Do: kinesistest.FailEntry("InternalFailure")})
		srv.Fail(kinesistest.Fault{Times: 1, Do: kinesistest.Gzip()})
		answer, err = put(t, c, 30)
		require.NoError(t, err)
		require.NotZero(t, answer.Failed)
		require.Len(t, answer.Results, 30)
	}
}

// TestContentEncodings answers in encodings that are wrong or unknown.
func TestContentEncodings(t *testing.T) {
	for _, tt := range []struct{ encoding, body, want string }{
		{"gzip", `{"Records":[]}`, "unpack the answer: gzip: invalid header"},
		{"gzip", "", "unpack the answer: EOF"},
		{"br", "x", `the answer has the Content-Encoding "br"`},
		{"identity", `{}`, "the answer has no results"},
	} {
		t.Run(tt.encoding+" "+tt.body, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Encoding", tt.encoding)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer srv.Close()
			c := NewClient(Config{Stream: testStream, AWS: aws.Config{Region: "us-east-1", BaseEndpoint: &srv.URL, Credentials: static{}}})
			defer c.Close()
			e := putError(t, c, 1)
			require.Equal(t, CodeMalformed, e.Code)
			require.Equal(t, tt.want, e.Message)
			require.True(t, e.MaybeTaken)
		})
	}
}

// TestAnswerWithoutEnd sends an answer that never ends.
func TestAnswerWithoutEnd(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		space := []byte(strings.Repeat(" ", 1<<20))
		for {
			if _, err := w.Write(space); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	c := NewClient(Config{
		Stream: testStream, Timeout: time.Minute,
		AWS: aws.Config{Region: "us-east-1", BaseEndpoint: &srv.URL, Credentials: static{}},
	})
	defer c.Close()
	e := putError(t, c, 1)
	require.Equal(t, CodeMalformed, e.Code)
	require.Equal(t, "the answer is longer than 33554432 bytes", e.Message)
	require.True(t, e.MaybeTaken)
}

// TestClockSkew lets the server's clock go wrong: the SDK learns the difference
// from the first refusal.
func TestClockSkew(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
	srv.SetClock(time.Hour)
	c := newTestClient(t, srv)
	e := putError(t, c, 1)
	require.True(t, e.Credentials, e.Error())
	require.Equal(t, RetryLater, e.Class)
	_, err := put(t, c, 1)
	require.NoError(t, err)
}

// TestEndpoints makes sure that the SDK's own rules for endpoints are kept.
func TestEndpoints(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, TLS: true, Region: "eu-central-1"})
	proxy := &kinesistest.ConnectProxy{Server: srv}
	front := httptest.NewServer(proxy)
	defer front.Close()
	through, err := url.Parse(front.URL)
	require.NoError(t, err)
	for _, tt := range []struct {
		name, want string
		change     func(*Config)
	}{
		{"region", "kinesis.eu-central-1.amazonaws.com", func(*Config) {}},
		{"FIPS", "kinesis-fips.eu-central-1.amazonaws.com", func(c *Config) {
			c.Options = append(c.Options, func(o *kinesis.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled })
		}},
		{"dual-stack", "kinesis.eu-central-1.api.aws", func(c *Config) {
			c.Options = append(c.Options, func(o *kinesis.Options) {
				o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
			})
		}},
		{"ARN", srv.Account() + ".data-kinesis.eu-central-1.amazonaws.com", func(c *Config) { c.Stream = srv.Stream(testStream).ARN() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestClient(t, srv, withTLS(srv), func(c *Config) {
				c.AWS.BaseEndpoint, c.DialContext = nil, nil
				c.Proxy = http.ProxyURL(through)
			}, tt.change)
			_, err := put(t, c, 2)
			require.NoError(t, err)
			hosts := proxy.Hosts()
			require.Contains(t, hosts[len(hosts)-1], tt.want)
			c.Close()
		})
	}
}

// TestUserAgentAndOptions keeps the caller's options, but not those that are ours.
func TestUserAgentAndOptions(t *testing.T) {
	var agent, target, encoding string
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		calls++
		agent, target, encoding = r.UserAgent(), r.Header.Get("X-Amz-Target"), r.Header.Get("Accept-Encoding")
		http.Error(w, "down", http.StatusServiceUnavailable)
	}))
	defer srv.Close()
	c := NewClient(Config{
		Stream: testStream,
		AWS:    aws.Config{Region: "us-east-1", BaseEndpoint: &srv.URL, Credentials: static{}, AppID: "amazonkinesisexporter", RetryMaxAttempts: 7},
		Options: []func(*kinesis.Options){func(o *kinesis.Options) {
			o.HTTPClient = http.DefaultClient
			o.RetryMaxAttempts = 9
		}},
	})
	defer c.Close()
	_ = putError(t, c, 1)
	require.Contains(t, agent, "app/amazonkinesisexporter")
	require.Contains(t, agent, "api/kinesis#")
	require.Equal(t, "Kinesis_20131202.PutRecords", target)
	require.Empty(t, encoding, "no compression asked")
	require.Equal(t, 1, calls, "the SDK's retries are off")
}

// TestConnections makes many calls at once, and opens as many connections as
// may be, all HTTP/1.1 although HTTP/2 is offered.
func TestConnections(t *testing.T) {
	const consumers, calls = 7, 200
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, TLS: true})
	var opened atomic.Int32
	c := newTestClient(t, srv, withTLS(srv), func(c *Config) {
		c.Connections = consumers
		dial := c.DialContext
		c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			opened.Add(1)
			return dial(ctx, network, addr)
		}
	})
	var wg sync.WaitGroup
	for range consumers + 3 {
		wg.Go(func() {
			for range calls / consumers {
				r := c.NewRequest()
				fill(t, r, 20)
				if _, err := c.Put(t.Context(), r); err != nil {
					t.Error(err)
				}
				r.Release()
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, opened.Load(), int32(consumers))
	require.Equal(t, (consumers+3)*(calls/consumers)*20, srv.Stream(testStream).Len())
}

// TestIdleConnectionBroken breaks a connection between two calls, as servers
// and firewalls do: the second call takes a new one by itself, since nothing of
// it can have arrived.
func TestIdleConnectionBroken(t *testing.T) {
	for _, secure := range []bool{false, true} {
		srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, TLS: secure})
		var conns []*breakable
		c := newTestClient(t, srv, withTLS(srv), func(c *Config) {
			dial := c.DialContext
			c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				conns = append(conns, &breakable{Conn: conn})
				return conns[len(conns)-1], err
			}
		})
		_, err := put(t, c, 2)
		require.NoError(t, err)
		conns[0].broken.Store(true)
		r := c.NewRequest()
		fill(t, r, 2)
		_, err = c.Put(t.Context(), r)
		require.NoError(t, err)
		require.True(t, r.lent, "two connections were given the body")
		r.Release()
		require.Len(t, conns, 2)
		require.Equal(t, 4, srv.Stream(testStream).Len())
	}
}

// breakable is a connection that can stop taking anything.
type breakable struct {
	net.Conn
	broken atomic.Bool
}

func (b *breakable) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, net.ErrClosed
	}
	return b.Conn.Write(p)
}

// TestBodyOutlivesCall is the trap that made duplicates: the SDK closes the
// body when it has the answer, while net/http has not read its end yet.
func TestBodyOutlivesCall(t *testing.T) {
	call := &call{body: []byte("body")}
	r := call.reader()
	b := make([]byte, 4)
	n, err := r.Read(b[:2])
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.False(t, call.written())
	require.NoError(t, r.Close())
	n, err = r.Read(b[2:])
	require.NoError(t, err, "Close must not end the reading")
	require.Equal(t, 2, n)
	require.Equal(t, "body", string(b))
	require.True(t, call.written())
	call.body = nil
	n, err = r.Read(b)
	require.Equal(t, io.EOF, err)
	require.Zero(t, n)
}

// TestEarlyAnswer gets an answer before the server has read the body: then the
// body is not used again.
func TestEarlyAnswer(t *testing.T) {
	const records = 100
	answer := `{"FailedRecordCount":0,"Records":[` + okResult + strings.Repeat(","+okResult, records-1) + `]}`
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	release := make(chan struct{})
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		<-release
	})
	c := NewClient(Config{
		Stream: testStream, Timeout: 10 * time.Second,
		AWS: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://" + l.Addr().String()), Credentials: static{}},
	})
	defer c.Close()
	r := c.NewRequest()
	for range records {
		require.True(t, r.Append(make([]byte, 100<<10), "key"))
	}
	_, err = c.Put(t.Context(), r)
	if err == nil {
		require.True(t, r.lent, "7 MB cannot have left: somebody is reading still")
	}
	close(release)
	r.Release()
}

// TestBodiesUnderLoad sends different bodies through few buffers from many
// goroutines, with faults that leave bodies behind, and looks that each record
// arrives as it was. Run with -race it shows bodies that are written too early.
func TestBodiesUnderLoad(t *testing.T) {
	for _, secure := range []bool{false, true} {
		srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, TLS: secure, HTTP1Only: true})
		srv.Fail(kinesistest.Fault{Share: 0.1, Seed: 1, Do: kinesistest.Reset()})
		srv.Fail(kinesistest.Fault{Share: 0.1, Seed: 2, Do: kinesistest.HTML(500)})
		srv.Fail(kinesistest.Fault{Share: 0.1, Seed: 3, Do: kinesistest.Lose()})
		c := newTestClient(t, srv, withTLS(srv), func(c *Config) { c.Connections = 6 })
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Go(func() {
				for i := range 12 {
					r := c.NewRequest()
					text := strings.Repeat(fmt.Sprintf("%d/%d ", g, i), 1000)
					for range 20 {
						r.Append([]byte(text), fmt.Sprintf("key %d", g))
					}
					for {
						if _, err := c.Put(t.Context(), r); err == nil {
							break
						}
					}
					r.Release()
				}
			})
		}
		wg.Wait()
		seen := map[string]int{}
		for r := range srv.Stream(testStream).Records() {
			seen[string(r.Data)]++
		}
		require.Len(t, seen, 6*12)
		for g := range 6 {
			for i := range 12 {
				text := strings.Repeat(fmt.Sprintf("%d/%d ", g, i), 1000)
				require.GreaterOrEqual(t, seen[text], 20)
			}
		}
		c.Close()
	}
}

// TestFallback meets an endpoint that knows no CBOR.
func TestFallback(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, RefuseCBOR: true})
	var said []error
	c := newTestClient(t, srv, func(c *Config) {
		c.Protocol = CBOR
		c.OnFallback = func(err error) { said = append(said, err) }
	})
	first, second, third := c.NewRequest(), c.NewRequest(), c.NewRequest()
	require.Equal(t, wireCBOR, first.wire)
	fill(t, first, 3)
	fill(t, second, 3)
	answer, err := c.Put(t.Context(), first)
	require.NoError(t, err)
	require.Zero(t, answer)
	require.Len(t, said, 1)
	require.EqualError(t, said[0], "the endpoint does not answer as Kinesis does: correct `endpoint`, or look at the proxy (HTTPError, HTTP 404)")

	require.True(t, third.AppendEntry(second.Entry(1)))
	for _, r := range []*Request{second, third} {
		_, err = c.Put(t.Context(), r)
		require.NoError(t, err)
	}
	fourth := c.NewRequest()
	require.Equal(t, wireJSON, fourth.wire)
	require.True(t, fourth.AppendEntry(second.Entry(2)))
	_, err = c.Put(t.Context(), fourth)
	require.NoError(t, err)
	for _, r := range []*Request{first, second, third, fourth} {
		r.Release()
	}
	require.Len(t, said, 1, "said once")
	require.Equal(t, 8, srv.Stream(testStream).Len())
	require.Len(t, srv.Calls("PutRecords"), 5, "one refusal, and four that were taken")
}

// TestFallbackIsNotForOtherErrors keeps CBOR whatever else goes wrong.
func TestFallbackIsNotForOtherErrors(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
	c := newTestClient(t, srv, func(c *Config) {
		c.Protocol = CBOR
		c.OnFallback = func(err error) { t.Error(err) }
	})
	for _, do := range []kinesistest.Effect{
		kinesistest.HTML(503), kinesistest.HTML(403), kinesistest.HTML(200), kinesistest.Refuse("ResourceNotFoundException"),
		kinesistest.Refuse("InvalidArgumentException"), kinesistest.Lose(),
	} {
		srv.Fail(kinesistest.Fault{Times: 1, Do: do})
		_ = putError(t, c, 1)
	}
	_, err := put(t, c, 1)
	require.NoError(t, err)
}

// TestOtherServers sends to servers that are not ours: kinesis-local and
// kinesalite, of npm. `make test` starts them and says where they are in
// KINESIS_LOCAL_ENDPOINT and KINESALITE_ENDPOINT.
func TestOtherServers(t *testing.T) {
	for _, env := range []string{"KINESIS_LOCAL_ENDPOINT", "KINESALITE_ENDPOINT"} {
		endpoint := os.Getenv(env)
		for _, protocol := range bothProtocols {
			t.Run(env+" "+string(protocol), func(t *testing.T) {
				if endpoint == "" {
					t.Skip(env + " is not set: make test sets it")
				}
				cfg := aws.Config{
					Region: "us-east-1", BaseEndpoint: &endpoint,
					Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
					HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
				}
				stock := kinesis.NewFromConfig(cfg)
				stream := fmt.Sprintf("putrecords-%s-%d", protocol, time.Now().UnixNano())
				createStream(t, stock, stream, 2)
				var fellBack error
				c := NewClient(Config{Stream: stream, Protocol: protocol, Timeout: time.Minute, AWS: cfg, OnFallback: func(err error) { fellBack = err }})
				defer c.Close()

				rng := rand.New(rand.NewPCG(1, 2))
				var want []string
				for range 3 {
					r := c.NewRequest()
					for range 40 {
						data := randomBytes(rng, 1+rng.IntN(2000))
						key := fmt.Sprintf("clé \"%d\" \\ %c", rng.IntN(1000), rune('a'+rng.IntN(26)))
						require.True(t, r.Append(data, key))
						want = append(want, fmt.Sprintf("%q %q", data, key))
					}
					answer, err := c.Put(t.Context(), r)
					require.NoError(t, err)
					require.Zero(t, answer)
					r.Release()
				}
				require.NoError(t, fellBack)
				slices.Sort(want)
				require.Equal(t, want, readAll(t, stock, endpoint, stream))

				missing := NewClient(Config{Stream: "no-such-stream", Protocol: protocol, Timeout: time.Minute, AWS: cfg})
				defer missing.Close()
				e := putError(t, missing, 1)
				require.Equal(t, "ResourceNotFoundException", e.Code, e.Error())

				r := c.NewRequest()
				defer r.Release()
				require.True(t, r.Append([]byte("x"), strings.Repeat("k", MaxKeyLength+1)))
				_, err := c.Put(t.Context(), r)
				require.ErrorAs(t, err, &e)
				require.Equal(t, Refused, e.Class, e.Error())
			})
		}
	}
}

func createStream(t *testing.T, c *kinesis.Client, name string, shards int32) {
	t.Helper()
	_, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := c.DeleteStream(context.Background(), &kinesis.DeleteStreamInput{StreamName: &name})
		require.NoError(t, err)
	})
	for {
		out, err := c.DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: &name})
		var missing *types.ResourceNotFoundException
		if !errors.As(err, &missing) {
			require.NoError(t, err)
			if out.StreamDescription.StreamStatus == types.StreamStatusActive {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// readAll reads all that the stream holds, as data and key.
func readAll(t *testing.T, c *kinesis.Client, endpoint, stream string) []string {
	t.Helper()
	out, err := c.DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: &stream})
	require.NoError(t, err)
	var all []string
	for _, s := range out.StreamDescription.Shards {
		it, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: s.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		require.NoError(t, err)
		for _, r := range getRecords(t, endpoint, *it.ShardIterator).Records {
			all = append(all, fmt.Sprintf("%q %q", r.Data, r.PartitionKey))
		}
	}
	slices.Sort(all)
	return all
}

type gotRecords struct {
	Records []struct {
		Data         blob
		PartitionKey string
	}
}

// blob is data in a GetRecords answer: text in base64, or, for records that
// kinesalite got as CBOR, what Node.js makes of a buffer.
type blob []byte

func (b *blob) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, (*[]byte)(b))
	}
	var buffer struct{ Data []int }
	err := json.Unmarshal(text, &buffer)
	for _, c := range buffer.Data {
		*b = append(*b, byte(c))
	}
	return err
}

// getRecords makes a call that the SDK would fail, because of what blob says.
func getRecords(t *testing.T, endpoint, iterator string) (out gotRecords) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(fmt.Sprintf(`{"ShardIterator":%q}`, iterator)))
	require.NoError(t, err)
	req.Close = true
	req.Header.Set("Content-Type", JSON.wire().contentType())
	req.Header.Set("X-Amz-Target", "Kinesis_20131202.GetRecords")
	creds := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), creds, req, strings.Repeat("0", 64), "kinesis", "us-east-1", time.Now()))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return out
}
