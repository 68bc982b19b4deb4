// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a reader takes out of a line, written again by the letter of the
// standard, reads as the same.
func FuzzParseCEF(f *testing.F) {
	f.Add(`CEF:0|Ven\|dor\\x|P=1|1.0|100|two words|10|src=192.0.2.1 msg=a b\=c | \\ \n d cs1=x y  cs1Label=Rule empty= end=1`)
	f.Add(`CEF:1|v|p|1|0|log|3|`)
	f.Add(`CEF:0|v|p|1|0|log|3| a=b`)
	header := strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	value := strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\n", `\n`, "\r", `\r`)
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseCEF(line)
		if err != nil {
			return
		}
		var b strings.Builder
		b.WriteString("CEF:" + strconv.Itoa(c.Version))
		for _, field := range []string{c.DeviceVendor, c.DeviceProduct, c.DeviceVersion, c.DeviceEventClassID, c.Name, c.Severity} {
			b.WriteString("|" + header.Replace(field))
		}
		b.WriteByte('|')
		for i, pair := range c.Extension {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(pair.Key + "=" + value.Replace(pair.Value))
		}
		again, err := ParseCEF(b.String())
		require.NoError(t, err, b.String())
		require.Equal(t, c, again)
	})
}

func FuzzParseLEEF(f *testing.F) {
	f.Add("LEEF:2.0|V|P|1|E|^|a=b=c^d=\\x|y^e=")
	f.Add("LEEF:1.0|V|P|1|E|a=1\tb=2")
	f.Add("LEEF:2.0|V|P|1|E|a=1\tb=2|3")
	f.Fuzz(func(t *testing.T, line string) {
		l, err := ParseLEEF(line)
		if err != nil {
			return
		}
		var pieces []string
		for _, pair := range l.Attributes {
			pieces = append(pieces, pair.Key+"="+pair.Value)
		}
		delimiter := "x" + strconv.FormatInt(int64(l.Delimiter), 16)
		attributes := delimiter + "|" + strings.Join(pieces, string(l.Delimiter))
		if l.Version == "1.0" {
			attributes = strings.Join(pieces, "\t")
		}
		again, err := ParseLEEF(strings.Join([]string{"LEEF:" + l.Version, l.Vendor, l.Product, l.ProductVersion, l.EventID, attributes}, "|"))
		require.NoError(t, err)
		require.Equal(t, l, again)
	})
}
