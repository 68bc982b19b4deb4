// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"net/netip"
	"slices"
)

// parseIP reads an address literal without zone or brackets.
func parseIP(s string) (netip.Addr, error) { return netip.ParseAddr(s) }

var documentationPrefixes = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"),
}

// documented tells whether an address belongs to nobody: documentation,
// private, loopback or link-local.
func documented(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() ||
		slices.ContainsFunc(documentationPrefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}
