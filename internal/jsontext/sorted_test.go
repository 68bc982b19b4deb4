// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// TestMembersAreInOrder has few and many, in any order.
func TestMembersAreInOrder(t *testing.T) {
	for _, n := range []int{0, 1, fewMembers, fewMembers + 1, 1000} {
		m := pcommon.NewMap()
		for i := range n {
			m.PutInt(fmt.Sprint((i*7919+13)%n), int64(i))
		}
		before := []Member{{Key: "zzz"}}
		members := AppendMembers(before, m)
		require.Len(t, members, n+1)
		assert.Equal(t, "zzz", members[0].Key, "what was there stays")
		for i, member := range members[1:] {
			v, ok := m.Get(member.Key)
			require.True(t, ok)
			assert.Equal(t, v, member.Value)
			assert.True(t, i == 0 || members[i].Key < member.Key, n)
		}
	}
}

func TestSorted(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("b", "x")
	m.PutInt("a", 1)
	list := m.PutEmptySlice("c")
	inner := list.AppendEmpty().SetEmptyMap()
	inner.PutBool("z", true)
	inner.PutEmpty("y")
	assert.Equal(t, `{"a":1,"b":"x","c":[{"y":null,"z":true}]}`, string(AppendSortedMap(nil, m)))
	assert.False(t, SortedMap(m))

	ordered := pcommon.NewMap()
	ordered.PutInt("a", 1)
	inner = ordered.PutEmptySlice("b").AppendEmpty().SetEmptyMap()
	inner.PutEmpty("y")
	assert.True(t, SortedMap(ordered))
	assert.Equal(t, string(AppendMap(nil, ordered)), string(AppendSortedMap(nil, ordered)))
	inner.PutBool("x", true)
	assert.False(t, SortedMap(ordered), "a map in a list is not in order")
	assert.Equal(t, "{}", string(AppendSortedMap(nil, pcommon.NewMap())))
}
