// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

const (
	okResult   = `{"SequenceNumber":"49543463076548007577105092703039560359975228518395012686","ShardId":"shardId-000000000000"}`
	hotResult  = `{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard shardId-000000000003 in stream logs under account 123456789012."}`
	failResult = `{"ErrorCode":"InternalFailure","ErrorMessage":"Internal Service Failure."}`
)

var (
	okWas   = Result{ShardID: "shardId-000000000000"}
	hotWas  = Result{ShardID: "shardId-000000000003", ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "Rate exceeded for shard shardId-000000000003 in stream logs under account 123456789012."}
	failWas = Result{ErrorCode: "InternalFailure", ErrorMessage: "Internal Service Failure."}
)

func TestAnswersThatAreAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		records    int
		want       Answer
	}{
		{"as AWS writes it", `{"FailedRecordCount":0,"Records":[` + okResult + "," + okResult + `]}`, 2, Answer{}},
		{"with encryption", `{"EncryptionType":"KMS","FailedRecordCount":0,"Records":[` + okResult + `]}`, 1, Answer{}},
		{"count last", `{"Records":[` + okResult + `],"FailedRecordCount":0}`, 1, Answer{}},
		{"no count", `{"Records":[` + okResult + `]}`, 1, Answer{}},
		{"null count", `{"FailedRecordCount":null,"Records":[` + okResult + `]}`, 1, Answer{}},
		{"white space", " {\r\n\t\"FailedRecordCount\" : 0 ,\n \"Records\" : [ { \"ShardId\" : \"shardId-000000000000\" , \"SequenceNumber\" : \"1\" } ] } \n", 1, Answer{}},
		{"null members", `{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"s","ErrorCode":null,"ErrorMessage":null}],"EncryptionType":null}`, 1, Answer{}},
		{"empty error", `{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"s","ErrorCode":"","ErrorMessage":""}]}`, 1, Answer{}},
		{"unknown members", `{"New":{"a":[1,{"Records":[]},"ErrorCode",-1.5e+3,true,false,null]},"Records":[{"More":{"ErrorCode":"x"},"SequenceNumber":"1","ShardId":"s"}],"FailedRecordCount":0,"Zz":[]}`, 1, Answer{}},
		{"escapes", `{"\u0052ecords":[{"Sequence\u004eumber":"\u0031","ShardId":"\"\\\/\b\f\n\r\t"}]}`, 1, Answer{}},
		{
			"failures between successes", `{"FailedRecordCount":2,"Records":[` + strings.Join([]string{okResult, hotResult, okResult, failResult}, ",") + `]}`, 4,
			Answer{Failed: 2, Results: []Result{okWas, hotWas, okWas, failWas}},
		},
		{"a failure that is not counted", `{"FailedRecordCount":0,"Records":[` + okResult + `,` + failResult + `]}`, 2, Answer{Failed: 1, Results: []Result{okWas, failWas}}},
		{"a failure without a count", `{"Records":[` + failResult + `]}`, 1, Answer{Failed: 1, Results: []Result{failWas}}},
		{"a failure with a sequence number", `{"Records":[{"SequenceNumber":"1","ShardId":"s","ErrorCode":"Odd"}]}`, 1, Answer{Failed: 1, Results: []Result{{ShardID: "s", ErrorCode: "Odd"}}}},
		{"an escaped error", `{"Records":[{"\u0045rrorCode":"\u0045x","ErrorMessage":"caf\u00e9 \ud83d\ude00 \ud800"}]}`, 1, Answer{Failed: 1, Results: []Result{{ErrorCode: "Ex", ErrorMessage: "café 😀 �"}}}},
		{"bytes that are not UTF-8", "{\"Records\":[{\"ErrorCode\":\"E\xff\xfe\"}]}", 1, Answer{Failed: 1, Results: []Result{{ErrorCode: "E\uFFFD"}}}},
		{"the last of two wins", `{"Records":[` + failResult + `],"Records":[{"SequenceNumber":"1","SequenceNumber":"2"}]}`, 1, Answer{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseAnswer([]byte(tt.body), tt.records)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		records    int
		want       string
	}{
		{"nothing", "", 1, "the answer is empty"},
		{"space", "  \n", 1, "the answer breaks off after 3 bytes"},
		{"HTML", "<html><body>502 Bad Gateway</body></html>", 1, "the answer is not JSON at byte 0"},
		{"null", "null", 1, "the answer is not JSON at byte 0"},
		{"array", "[]", 1, "the answer is not JSON at byte 0"},
		{"empty object", "{}", 1, "the answer has no results"},
		{"no results", `{"FailedRecordCount":0,"Records":[]}`, 1, "the answer has no results"},
		{"null results", `{"FailedRecordCount":0,"Records":null}`, 1, "the answer has no results"},
		{"too few", `{"FailedRecordCount":0,"Records":[` + okResult + `]}`, 2, "the answer has 1 results for 2 records"},
		{"too many", `{"FailedRecordCount":0,"Records":[` + okResult + `,` + okResult + `]}`, 1, "the answer has 2 results for 1 records"},
		{"a count without failures", `{"FailedRecordCount":1,"Records":[` + okResult + `]}`, 1, "the answer counts 1 failed records and shows 0"},
		{"a negative count", `{"FailedRecordCount":-1,"Records":[` + okResult + `]}`, 1, "FailedRecordCount is negative"},
		{"a count with a fraction", `{"FailedRecordCount":0.5,"Records":[` + okResult + `]}`, 1, "FailedRecordCount is not an integer: 0.5"},
		{"a count too large", `{"FailedRecordCount":4294967296,"Records":[` + okResult + `]}`, 1, "FailedRecordCount is not an integer: 4294967296"},
		{"a count that is text", `{"FailedRecordCount":"0","Records":[` + okResult + `]}`, 1, "the answer is not JSON at byte 21"},
		{"an empty result", `{"FailedRecordCount":0,"Records":[{}]}`, 1, "a result says neither that its record was taken nor that it failed"},
		{"a null result", `{"FailedRecordCount":0,"Records":[null]}`, 1, "a result says neither that its record was taken nor that it failed"},
		{"a shard alone", `{"FailedRecordCount":0,"Records":[{"ShardId":"s"}]}`, 1, "a result says neither that its record was taken nor that it failed"},
		{"a number for a text", `{"Records":[{"SequenceNumber":1}]}`, 1, "the answer has something else at byte 30 than the text that belongs there"},
		{"another answer behind", `{"Records":[` + okResult + `]}{}`, 1, "the answer is not JSON at byte 124"},
		{"a control character", "{\"Records\":[{\"SequenceNumber\":\"1\n\"}]}", 1, "the answer is not JSON at byte 32"},
		{"a bad escape", `{"Records":[{"SequenceNumber":"\x"}]}`, 1, "the answer is not JSON at byte 30"},
		{"too deep", `{"A":` + strings.Repeat("[", 1100), 1, "the answer is nested deeper than 1000 levels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseAnswer([]byte(tt.body), tt.records)
			require.EqualError(t, err, tt.want)
			require.Zero(t, got)
		})
	}
}

// TestCutAnswers cuts answers of both protocols at every byte.
func TestCutAnswers(t *testing.T) {
	whole := []byte(`{"EncryptionType":"KMS","FailedRecordCount":1,"Records":[` + okResult + `,` + hotResult + `,{"SequenceNumber":"\u0031","ShardId":"s","New":[1.5e3,{"a":null}]}]}`)
	var any any
	require.NoError(t, json.Unmarshal(whole, &any))
	binary, err := cbor.Marshal(any)
	require.NoError(t, err)
	for _, b := range [][]byte{whole, binary} {
		_, err := parseAnswer(b, 3)
		if b[0] == '{' {
			require.NoError(t, err)
		} else {
			// encoding/json made a float of the count
			require.EqualError(t, err, "FailedRecordCount is not an integer")
		}
		for n := range len(b) {
			_, err := parseAnswer(b[:n], 3)
			require.Error(t, err, "cut after %d bytes", n)
		}
	}
}

func TestLargeAnswers(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"FailedRecordCount":250,"Records":[`)
	for i := range 500 {
		if i > 0 {
			b.WriteByte(',')
		}
		if i%2 == 0 {
			b.WriteString(okResult)
		} else {
			fmt.Fprintf(&b, `{"ErrorCode":"InternalFailure","ErrorMessage":"%s"}`, strings.Repeat("é", 21<<10))
		}
	}
	b.WriteString(`]}`)
	require.Greater(t, b.Len(), 10<<20)
	got, err := parseAnswer(b.Bytes(), 500)
	require.NoError(t, err)
	require.Equal(t, 250, got.Failed)
	for i, r := range got.Results {
		if i%2 == 0 {
			require.Equal(t, okWas, r)
		} else {
			require.Equal(t, "InternalFailure", r.ErrorCode)
			require.Len(t, r.ErrorMessage, 42<<10)
		}
	}
}

func TestShardIn(t *testing.T) {
	for message, want := range map[string]string{
		"Rate exceeded for shard shardId-000000000003 in stream logs under account 123456789012.": "shardId-000000000003",
		"shardId-7":            "shardId-7",
		"shardId-":             "",
		"shardId-x":            "",
		"":                     "",
		"Slow down":            "",
		"shardId-0000, really": "shardId-0000",
	} {
		require.Equal(t, want, shardIn(message), message)
	}
}

func TestStringsAreInterned(t *testing.T) {
	in := interned{seen: map[string]string{}}
	for i := range 3 * internMost {
		require.Equal(t, fmt.Sprint(i), in.string([]byte(fmt.Sprint(i))))
	}
	require.LessOrEqual(t, len(in.seen), internMost, "what comes from outside must not pile up")
	b := []byte("InternalFailure")
	in.string(b)
	require.Zero(t, testing.AllocsPerRun(10, func() { in.string(b) }))
}

func TestAnswersWithoutFailuresAllocateNothing(t *testing.T) {
	for name, b := range map[string][]byte{
		"json": []byte(`{"FailedRecordCount":0,"Records":[` + okResult + strings.Repeat(","+okResult, 499) + `]}`),
		"cbor": mustCBOR(t, map[string]any{"FailedRecordCount": 0, "Records": repeat(map[string]string{"SequenceNumber": strings.Repeat("4", 56), "ShardId": "shardId-000000000000"}, 500)}),
	} {
		_, err := parseAnswer(b, 500)
		require.NoError(t, err, name)
		require.LessOrEqual(t, testing.AllocsPerRun(20, func() { _, _ = parseAnswer(b, 500) }), 10.0, name)
	}
}

func repeat[T any](v T, n int) (all []T) {
	for range n {
		all = append(all, v)
	}
	return all
}

func mustCBOR(t testing.TB, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	require.NoError(t, err)
	return b
}

// results turns what the SDK read into what we would, with an error when the
// SDK's view is none to believe.
func results(out *kinesis.PutRecordsOutput, records int) (Answer, error) {
	var a Answer
	var all []Result
	for _, r := range out.Records {
		res := Result{ShardID: text(r.ShardId)}
		if res.ErrorCode = text(r.ErrorCode); res.ErrorCode != "" {
			a.Failed++
			res.ErrorMessage = text(r.ErrorMessage)
			if res.ShardID == "" {
				res.ShardID = shardIn(res.ErrorMessage)
			}
		} else if aws.ToString(r.SequenceNumber) == "" {
			return Answer{}, errVague
		}
		all = append(all, res)
	}
	count := aws.ToInt32(out.FailedRecordCount)
	if len(all) != records || records == 0 || count < 0 || int(count) > a.Failed {
		return Answer{}, fmt.Errorf("%d results, count %d", len(all), count)
	}
	if a.Failed > 0 {
		a.Results = all
	}
	return a, nil
}

func text(s *string) string { return strings.ToValidUTF8(aws.ToString(s), "\uFFFD") }

// FuzzAnswerJSON holds what is read against the SDK's own deserialiser.
func FuzzAnswerJSON(f *testing.F) {
	f.Add([]byte(`{"FailedRecordCount":0,"Records":[`+okResult+`]}`), 1)
	f.Add([]byte(`{"FailedRecordCount":1,"Records":[`+okResult+`,`+hotResult+`]}`), 2)
	f.Add([]byte(`{"Records":[{"SequenceNumber":"1","ShardId":"\ud800","ErrorCode":null}],"X":{"Y":[{},[],1e9]}}`), 1)
	rng := rand.New(rand.NewPCG(7, 8))
	for n := range 20 {
		b, _ := randomAnswer(rng, n)
		f.Add(b, n)
	}
	f.Fuzz(func(t *testing.T, b []byte, records int) {
		if len(b) == 0 || b[0]&0xe0 == cborMap {
			return // not taken for JSON
		}
		got, err := parseAnswer(b, records)
		if err == nil && !json.Valid(b) {
			t.Fatalf("took %q, which is not JSON", b)
		}
		out, stockErr := stockAnswer(b)
		if stockErr != nil {
			if err == nil {
				t.Fatalf("took %q, which the SDK does not: %v", b, stockErr)
			}
			return
		}
		want, doubt := results(out, records)
		switch {
		case err == nil && doubt != nil:
			t.Fatalf("took %q in spite of: %v", b, doubt)
		case err == nil && !reflect.DeepEqual(got, want):
			t.Fatalf("read %q as\n%+v, the SDK as\n%+v", b, got, want)
		case err != nil && doubt == nil && json.Valid(b) && !strings.Contains(err.Error(), "nested deeper"):
			t.Fatalf("did not take %q: %v", b, err)
		}
	})
}

// FuzzAnswerCBOR holds what is read against a decoder that is not ours.
func FuzzAnswerCBOR(f *testing.F) {
	rng := rand.New(rand.NewPCG(9, 10))
	for n := range 20 {
		_, v := randomAnswer(rng, n)
		f.Add(mustCBOR(f, v), n)
	}
	f.Add([]byte("\xbf\x67Records\x9f\xbf\x6eSequenceNumber\x7f\x611\x612\xff\xff\xff\x61x\xc1\xf9\x00\x00\xff"), 1)
	f.Add([]byte("\xa1\x67Records\x81\xa1\x69ErrorCode\x61E"), 1)
	f.Add([]byte("\xa2\x67Records\x81\xa2\x6eSequenceNumber\x611\x69ErrorCode\xf7\x71FailedRecordCount\x20"), 1)
	mode, err := cbor.DecOptions{
		MaxNestedLevels: 2*maxDepth + 10, MaxArrayElements: math.MaxInt32, MaxMapPairs: math.MaxInt32, UTF8: cbor.UTF8DecodeInvalid,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive, IntDec: cbor.IntDecConvertNone,
	}.DecMode()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, records int) {
		if len(b) == 0 || b[0]&0xe0 != cborMap {
			return // not taken for CBOR
		}
		got, err := parseAnswer(b, records)
		if err != nil {
			return
		}
		if err := mode.Wellformed(b); err != nil {
			t.Fatalf("took %x, which is not well-formed: %v", b, err)
		}
		var out struct {
			FailedRecordCount *int32
			Records           []*struct{ ShardId, SequenceNumber, ErrorCode, ErrorMessage *string }
		}
		if err := mode.Unmarshal(b, &out); err != nil {
			return // it minds what we skip, such as invalid tags and double keys
		}
		if len(out.Records) != records {
			return // double Records: the other decoder takes the first, we the last
		}
		failed := 0
		for i, r := range out.Records {
			if r == nil {
				t.Fatalf("took a null result in %x", b)
			}
			code := text(r.ErrorCode)
			if code != "" {
				failed++
			} else if aws.ToString(r.SequenceNumber) == "" {
				t.Fatalf("took an empty result in %x", b)
			}
			if got.Results != nil && got.Results[i].ErrorCode != code {
				t.Fatalf("read %x as %+v", b, got)
			}
		}
		if failed != got.Failed {
			t.Fatalf("counted %d failures in %x, the other decoder %d", got.Failed, b, failed)
		}
	})
}

// randomAnswer makes a valid answer of n results of all sorts, as JSON with
// white space, escapes and unknown members, and as a value to encode.
func randomAnswer(rng *rand.Rand, n int) ([]byte, map[string]any) {
	failed := 0
	var list []any
	for range n {
		r := map[string]any{}
		if rng.IntN(3) == 0 {
			failed++
			r["ErrorCode"] = []string{"InternalFailure", "ProvisionedThroughputExceededException", "\"\\\n\u2028é😀"}[rng.IntN(3)]
			r["ErrorMessage"] = fmt.Sprintf("Rate exceeded for shard shardId-%012d in stream x", rng.IntN(5))
		} else {
			r["SequenceNumber"] = fmt.Sprintf("%056d", rng.Uint64())
			r["ShardId"] = fmt.Sprintf("shardId-%012d", rng.IntN(5))
			if rng.IntN(4) == 0 {
				r["ErrorCode"], r["ErrorMessage"] = nil, nil
			}
		}
		if rng.IntN(5) == 0 {
			r["Unknown"] = map[string]any{"ErrorCode": "no", "deep": []any{1.5, true, nil, "\\\"", map[string]any{}}}
		}
		list = append(list, r)
	}
	v := map[string]any{"Records": list}
	if rng.IntN(4) > 0 {
		v["FailedRecordCount"] = failed
	}
	if rng.IntN(2) == 0 {
		v["EncryptionType"] = "KMS"
	}
	if rng.IntN(3) == 0 {
		v["ZUnknown"] = []any{map[string]any{"Records": []any{}}, -1e-3}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // what is made above always marshals
	}
	if rng.IntN(2) == 0 {
		var out bytes.Buffer
		if err := json.Indent(&out, b, " ", "\t"); err != nil {
			panic(err)
		}
		b = out.Bytes()
	}
	return b, v
}

// TestRandomAnswers reads answers with errors in any place as the SDK does, in
// both protocols.
func TestRandomAnswers(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		n := 1 + rng.IntN(60)
		b, v := randomAnswer(rng, n)
		out, err := stockAnswer(b)
		require.NoError(t, err)
		want, err := results(out, n)
		require.NoError(t, err)
		got, err := parseAnswer(b, n)
		require.NoError(t, err, "%s", b)
		require.Equal(t, want, got, "%s", b)
		got, err = parseAnswer(mustCBOR(t, v), n)
		require.NoError(t, err, "%s", b)
		require.Equal(t, want, got, "%s", b)
	}
}

func BenchmarkParseAnswer(b *testing.B) {
	fine := []byte(`{"FailedRecordCount":0,"Records":[` + okResult + strings.Repeat(","+okResult, 499) + `]}`)
	hot := []byte(`{"FailedRecordCount":250,"Records":[` + okResult + "," + hotResult + strings.Repeat(","+okResult+","+hotResult, 249) + `]}`)
	binary := mustCBOR(b, map[string]any{"FailedRecordCount": 0, "Records": repeat(map[string]string{"SequenceNumber": strings.Repeat("4", 56), "ShardId": "shardId-000000000000"}, 500)})
	for name, body := range map[string][]byte{"json": fine, "json, half of it throttled": hot, "cbor": binary} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := parseAnswer(body, 500); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
