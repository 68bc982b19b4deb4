// SPDX-License-Identifier: Apache-2.0

package jsontext

import "go.opentelemetry.io/collector/pdata/pcommon"

// AppendSorted appends v as AppendValue does, with the keys of every map in it in order.
func AppendSorted(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return AppendSortedMap(dst, v.Map())
	case pcommon.ValueTypeSlice:
		dst = append(dst, '[')
		for i, el := range v.Slice().All() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendSorted(dst, el)
		}
		return append(dst, ']')
	}
	return AppendValue(dst, v)
}

// AppendSortedMap appends m as AppendMap does, with its keys, and those of the maps in it, in order.
func AppendSortedMap(dst []byte, m pcommon.Map) []byte {
	type member struct {
		key   string
		value pcommon.Value
	}
	var few [32]member
	members := few[:0]
	for key, value := range m.All() {
		i := len(members)
		members = append(members, member{})
		for ; i > 0 && members[i-1].key > key; i-- { // they are few, and often in order
			members[i] = members[i-1]
		}
		members[i] = member{key, value}
	}
	dst = append(dst, '{')
	for i, member := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, member.key), ':')
		dst = AppendSorted(dst, member.value)
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
