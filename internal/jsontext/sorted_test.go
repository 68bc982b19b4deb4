// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

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
