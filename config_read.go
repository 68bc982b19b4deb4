// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

// mistake is one thing that the user has to mend.
type mistake struct {
	// paths of the keys it is about, such as "sending_queue::queue_size".
	paths []string
	text  string
}

// mistakes are reported all at once.
type mistakes []mistake

func (m *mistakes) add(paths []string, format string, args ...any) {
	*m = append(*m, mistake{paths: paths, text: fmt.Sprintf(format, args...)})
}

func (m mistakes) err() error {
	errs := make([]error, len(m))
	for i := range m {
		errs[i] = errors.New(m[i].text)
	}
	return errors.Join(errs...)
}

// configReader turns what the user wrote into what confmap decodes without a complaint.
//
// confmap stops at the first map whose keys or types are wrong, so the reader walks the user's map along the
// fields of the configuration itself, puts aside what is wrong, and leaves a map that holds right types only.
// On the way numbers become seconds where a duration is meant, and text from ${env:...} stays the text it was.
//
// No value of a wrong type is ever repeated in a mistake: it may be a secret.
type configReader struct {
	mistakes mistakes
	given    map[string]bool // paths of the keys that the user wrote and that were read
	faulty   map[string]bool // paths of the keys that mistakes are about
	// special reads the keys whose type does not say all about them. It gets the value with its text.
	special map[string]func(scalar) (any, error)
}

func (r *configReader) fault(path, format string, args ...any) {
	r.faulty[path] = true
	r.mistakes.add([]string{path}, format, args...)
}

// unharmed tells whether none of the keys, nor a map around one of them, was put aside.
func (r *configReader) unharmed(paths ...string) bool {
	within := func(path, outer string) bool {
		rest, found := strings.CutPrefix(path, outer)
		return found && (rest == "" || strings.HasPrefix(rest, confmap.KeyDelimiter) || rest[0] == '[' || rest[0] == '.')
	}
	for _, path := range paths {
		for faulty := range r.faulty {
			if within(path, faulty) || within(faulty, path) {
				return false
			}
		}
	}
	return true
}

// scalar is a value with the text that it was written as, where that is known.
type scalar struct {
	value any
	text  string
	// written is set when text is what the user wrote: in quotes, as plain text or in an environment variable.
	// Of a plain number in YAML just its value is left.
	written bool
}

func scalarOf(v any) scalar {
	switch v := v.(type) {
	case xconfmap.ExpandedValue:
		return scalar{value: v.Value, text: v.Original, written: true}
	case string:
		return scalar{value: v, text: v, written: true}
	default:
		if t := reflect.ValueOf(v); t.Kind() == reflect.String { // of a Conf that was marshalled
			return scalar{value: t.String(), text: t.String(), written: true}
		}
		return scalar{value: v}
	}
}

// empty tells whether the key has no value, as confmap has it: nothing at all, or no list where there could be one.
func (s scalar) empty() bool {
	v := reflect.ValueOf(s.value)
	return !v.IsValid() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.IsNil()
}

// kind names the value's type without its content.
func (s scalar) kind() string {
	switch v := reflect.ValueOf(s.value); v.Kind() {
	case reflect.Invalid:
		return "nothing"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64, reflect.Uint, reflect.Uint32:
		return "a number"
	case reflect.Float64, reflect.Float32:
		return "a number with a fraction or exponent"
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		return "a map"
	default:
		return "a date"
	}
}

// field of a configuration struct, by its name in YAML.
type field struct {
	name string
	t    reflect.Type
}

// fieldsOf lists the keys of a configuration struct in the order of its fields.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get(confmap.MapstructureTag), ",")
		switch {
		case strings.Contains(options, "squash"):
			fields = append(fields, fieldsOf(f.Type)...)
		case name != "" && name != "-":
			fields = append(fields, field{name: name, t: f.Type})
		}
	}
	return fields
}

func names(fields []field) []string {
	all := make([]string, len(fields))
	for i := range fields {
		all[i] = fields[i].name
	}
	return all
}

// readStruct reads the keys of a map that stands for a struct.
func (r *configReader) readStruct(path string, fields []field, in map[string]any) map[string]any {
	in = maps.Clone(in)
	out := map[string]any{}
	for _, f := range fields {
		v, ok := in[f.name]
		delete(in, f.name)
		if !ok {
			continue
		}
		at := join(path, f.name)
		if clean, ok := r.read(at, f.t, v); ok {
			out[f.name] = clean
			r.given[at] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		known := names(fields)
		text := fmt.Sprintf("unknown key `%s`", printable(join(path, name)))
		if hint, foreign := foreignKeys[name]; foreign && path == "" {
			text += ": " + hint
		} else if near := nearest(name, known); near != "" {
			text += fmt.Sprintf(": did you mean `%s`?", join(path, near))
			r.faulty[join(path, near)] = true // and so it is not missing
		} else if path != "" && len(known) <= 8 {
			text += fmt.Sprintf(": `%s` has %s", path, list(known, "and"))
		}
		r.fault(join(path, name), "%s", text)
	}
	return out
}

// read reads one value of the given type; not ok when it is to be left out, because it is empty or wrong.
func (r *configReader) read(path string, t reflect.Type, v any) (any, bool) {
	s := scalarOf(v)
	if s.empty() && (!s.written || t.Kind() != reflect.String) {
		return nil, false // a key without a value keeps its default
	}
	if read := r.special[path]; read != nil {
		clean, err := read(s)
		if err != nil {
			r.fault(path, "%s", err)
		}
		return clean, err == nil
	}
	if section, ok := optionalOf(t); ok {
		return r.readSection(path, append(fieldsOf(section), field{"enabled", reflect.TypeFor[bool]()}), s)
	}
	if t == reflect.TypeFor[time.Duration]() {
		d, err := readDuration(s)
		if err != nil {
			r.fault(path, "`%s` %s", path, err)
		}
		return d, err == nil
	}
	base := t
	if t.Kind() == reflect.Pointer {
		base = t.Elem()
	}
	if u, ok := reflect.New(base).Interface().(encoding.TextUnmarshaler); ok {
		return r.readText(path, s, u)
	}

	switch base.Kind() {
	case reflect.Struct:
		return r.readSection(path, fieldsOf(base), s)
	case reflect.Slice:
		return r.readList(path, base.Elem(), s)
	case reflect.String:
		if !s.written {
			r.fault(path, "`%s` must be text%s", path, notText(s))
		}
		return s.text, s.written
	case reflect.Bool:
		b, ok := readBool(s)
		if !ok {
			r.fault(path, "`%s` must be true or false, not %s", path, s.kind())
		}
		return b, ok
	case reflect.Int, reflect.Int64:
		n, ok := readInt(s)
		if !ok {
			r.fault(path, "`%s` must be a whole number, not %s", path, s.kind())
		}
		return n, ok
	case reflect.Float64:
		f, ok := readFloat(s)
		if !ok {
			r.fault(path, "`%s` must be a number, not %s", path, s.kind())
		}
		return f, ok
	default:
		panic("no way to read a " + base.String() + " for `" + path + "`") // a new type of field, found by any test
	}
}

func (r *configReader) readSection(path string, fields []field, s scalar) (any, bool) {
	m, ok := s.value.(map[string]any)
	if !ok {
		r.fault(path, "`%s` must be a map%s, not %s", path, keysHint(fields), s.kind())
		return nil, false
	}
	return r.readStruct(path, fields, m), true
}

func (r *configReader) readList(path string, elem reflect.Type, s scalar) (any, bool) {
	in, ok := s.value.([]any)
	if !ok && elem.Kind() == reflect.String {
		if texts, isTexts := s.value.([]string); isTexts { // of a Conf that was marshalled
			return texts, true
		}
	}
	if !ok {
		r.fault(path, "`%s` must be a list, not %s", path, s.kind())
		return nil, false
	}
	out := make([]any, 0, len(in))
	for i, v := range in {
		at := fmt.Sprintf("%s[%d]", path, i)
		clean, ok := r.read(at, elem, v)
		if !ok {
			if scalarOf(v).empty() {
				r.fault(at, "`%s` is empty: remove it or write it out", at)
			}
			clean = reflect.Zero(elem).Interface() // so that those after it keep their numbers
		}
		out = append(out, clean)
	}
	return out, true
}

// readText reads values that have their own text form, such as ids of components.
func (r *configReader) readText(path string, s scalar, u encoding.TextUnmarshaler) (any, bool) {
	if m, ok := s.value.(map[string]any); ok && len(m) == 0 {
		return nil, false // so print-config writes sizers
	}
	if !s.written {
		r.fault(path, "`%s` must be text%s", path, notText(s))
		return nil, false
	}
	if err := u.UnmarshalText([]byte(s.text)); err != nil {
		r.fault(path, "`%s`: %s%s", path, err, textHints[reflect.TypeOf(u).Elem()])
		return nil, false
	}
	return s.text, true
}

// textHints say what to write where a type's own message does not.
var textHints = map[reflect.Type]string{
	reflect.TypeOf(exporterhelper.RequestSizerTypeItems): "; write `items`, `bytes` or `requests`",
	reflect.TypeFor[ottl.ErrorMode]():                    "; write `ignore`, `silent` or `propagate`",
	reflect.TypeFor[component.ID]():                      "; write the id of an extension, such as file_storage/queue",
}

func notText(s scalar) string {
	switch s.kind() {
	case "a list", "a map":
		return ", not " + s.kind()
	default:
		return ": put it in quotes, because YAML takes it for " + s.kind() + " and loses how it is written"
	}
}

func readBool(s scalar) (b, ok bool) {
	if b, ok = s.value.(bool); ok {
		return b, true
	}
	switch s.text {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// readInt reads whole numbers. Text is decimal: 0500 in an environment variable is 500, though YAML reads 320.
func readInt(s scalar) (int64, bool) {
	if n, err := strconv.ParseInt(s.text, 10, 64); err == nil {
		return n, true
	}
	switch v := reflect.ValueOf(s.value); v.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		return v.Int(), true
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return int64(v.Uint()), v.Uint() <= math.MaxInt64
	case reflect.Float64:
		f := v.Float()
		// 2^53: above it a float does not tell one whole number from the next.
		return int64(f), f == math.Trunc(f) && math.Abs(f) <= 1<<53
	}
	return 0, false
}

func readFloat(s scalar) (float64, bool) {
	f, ok := s.value.(float64)
	if !ok {
		if n, isInt := readInt(s); isInt {
			f, ok = float64(n), true
		} else if parsed, err := strconv.ParseFloat(s.text, 64); err == nil {
			f, ok = parsed, true
		}
	}
	return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
}

var errDuration = errors.New("must be a number of seconds (30) or a duration (30s, 5m, 1h)")

// readDuration reads seconds and what Go calls a duration.
func readDuration(s scalar) (time.Duration, error) {
	if d, ok := s.value.(time.Duration); ok { // of a Conf that was marshalled
		return d, nil
	}
	if seconds, ok := readFloat(s); ok {
		ns := seconds * float64(time.Second)
		if math.Abs(ns) >= math.MaxInt64 {
			return 0, errors.New("is longer than 292 years; " + errDuration.Error())
		}
		return time.Duration(math.Round(ns)), nil
	}
	if _, ok := s.value.(string); ok {
		if d, err := time.ParseDuration(strings.TrimSpace(s.text)); err == nil {
			return d, nil
		}
		return 0, errDuration
	}
	return 0, fmt.Errorf("%w, not %s", errDuration, s.kind())
}

// optionalOf returns the type in a configoptional.Optional.
func optionalOf(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct || t.PkgPath() != "go.opentelemetry.io/collector/config/configoptional" {
		return nil, false
	}
	get, ok := reflect.PointerTo(t).MethodByName("Get")
	if !ok {
		return nil, false
	}
	return get.Type.Out(0).Elem(), true
}

// join writes the path of a key as the collector does, and below an entry of a list as OTTL users know it.
func join(path, name string) string {
	switch {
	case path == "":
		return name
	case strings.HasSuffix(path, "]"):
		return path + "." + name
	default:
		return path + confmap.KeyDelimiter + name
	}
}

// keysHint names the keys of a map, when they are few.
func keysHint(fields []field) string {
	if len(fields) > 4 {
		return ""
	}
	return " of " + list(names(fields), "and")
}

// list writes "`a`, `b` and `c`".
func list(items []string, conjunction string) string {
	quoted := make([]string, len(items))
	for i := range items {
		quoted[i] = "`" + items[i] + "`"
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " " + conjunction + " " + quoted[last]
}

// printable cuts and escapes text of the user's for a message.
func printable(text string) string {
	const limit = 80
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit]) + "..."
	}
	quoted := strconv.QuoteToGraphic(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// foreignKeys are keys that other shippers have, and what to write here instead.
var foreignKeys = map[string]string{
	"aws":                   "write `stream`, `region`, `endpoint` and `role_arn` without it",
	"encoding":              "there is none; for a security schema write `field_format`",
	"max_records_per_batch": "write `max_events`",
	"stream_name":           "write `stream`",
	"streamname":            "write `stream`",
	"kinesis_endpoint":      "write `endpoint`",
	"role":                  "write `role_arn`",
	"partition":             "write `partition_key` or `partition_key_from`",
	"partition_key_field":   "write `partition_key_from` with an OTTL path, such as log.attributes[\"host\"]",
	"access_key":            "write `key`",
	"access_key_id":         "write `key`",
	"secret_key":            "write `secret`",
	"secret_access_key":     "write `secret`",
	"session_token":         "write `session`",
	"compression":           "there is none; a record is one JSON object",
}

// nearest returns the candidate that name most likely is a slip of, "" when none is near.
func nearest(name string, candidates []string) string {
	if len(name) > 40 {
		return ""
	}
	best, bestDistance := "", max(1, len(name)/3)
	for _, c := range candidates {
		// Spelled with dashes or in camel case, or cut short.
		if squeeze(c) == squeeze(name) || strings.HasPrefix(c, name+"_") {
			return c
		}
		if d := editDistance(name, c); d <= bestDistance && d < len(c) {
			if best == "" || d < bestDistance {
				best, bestDistance = c, d
			}
		}
	}
	return best
}

func squeeze(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// editDistance counts the letters to insert, remove, replace or swap with their neighbour.
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
