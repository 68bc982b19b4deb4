// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A Member is a value of a map with its key.
type Member struct {
	Key   string
	Value pcommon.Value
}

// fewMembers is up to how many members are put into order as they come, which most of them do already.
const fewMembers = 32

// AppendMembers appends the members of m, by their keys in order; those of one key stay as they come.
func AppendMembers(members []Member, m pcommon.Map) []Member {
	from := len(members)
	few := m.Len() <= fewMembers
	for key, value := range m.All() {
		i := len(members)
		members = append(members, Member{key, value})
		for ; few && i > from && members[i-1].Key > key; i-- {
			members[i-1], members[i] = members[i], members[i-1]
		}
	}
	if !few {
		slices.SortStableFunc(members[from:], func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
	}
	return members
}

// AppendSorted appends v as AppendValue does, with the keys of every map in it in order.
func AppendSorted(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return AppendSortedMap(dst, v.Map())
	case pcommon.ValueTypeSlice:
		return appendSlice(dst, v.Slice(), AppendSorted)
	}
	return AppendValue(dst, v)
}

// AppendSortedMap appends m as AppendMap does, with its keys, and those of the maps in it, in order.
func AppendSortedMap(dst []byte, m pcommon.Map) []byte {
	var few [fewMembers]Member
	dst = append(dst, '{')
	for i, member := range AppendMembers(few[:0], m) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, member.Key), ':')
		dst = AppendSorted(dst, member.Value)
	}
	return append(dst, '}')
}

// Sorted tells whether AppendSorted appends what AppendValue appends.
func Sorted(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return SortedMap(v.Map())
	case pcommon.ValueTypeSlice:
		for _, el := range v.Slice().All() {
			if !Sorted(el) {
				return false
			}
		}
	}
	return true
}

// SortedMap tells whether AppendSortedMap appends what AppendMap appends.
func SortedMap(m pcommon.Map) bool {
	last := ""
	for key, v := range m.All() {
		if key < last || !Sorted(v) {
			return false
		}
		last = key
	}
	return true
}
