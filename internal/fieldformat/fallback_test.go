// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"testing"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A record may look like a mail and have nothing that the class of mails needs. It has to become something else.
func TestAConnectionOfAMailServerIsWritten(t *testing.T) {
	for _, category := range []string{"email", "network"} {
		for _, protocol := range []string{"smtp", "imap", "pop3"} {
			record := plog.NewLogRecord()
			record.SetTimestamp(1_700_000_000_000_000_000)
			a := record.Attributes()
			a.PutStr("event.category", category)
			a.PutStr("network.protocol", protocol)
			a.PutStr("source.ip", "192.0.2.1")
			a.PutStr("destination.ip", "198.51.100.25")
			a.PutInt("destination.port", 25)
			a.PutStr("email.message_id", "<1@example.com>")
			for f := range numFormats {
				out, err := New(f, Options{}).Append(nil, pcommon.NewResource(), pcommon.NewInstrumentationScope(), record)
				require.NoError(t, err)
				require.Contains(t, string(out), "198.51.100.25", f)
			}
		}
	}
}
