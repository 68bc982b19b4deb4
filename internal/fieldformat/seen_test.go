// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readers are the functions that read the content of a val without noting it, each with the reason why it may.
var readers = map[string]string{
	"attr":         "makes the val",
	"float":        "its callers are looked for",
	"fitsAsIs":     "takes guards what it says; others ask elements of lists",
	"put":          "asks for an empty text, which is of another shape, and of another outcome of a step",
	"notNumber":    "records with floats that are no numbers have no pattern",
	"holdsNothing": "as put and notNumber",
	"list":         "writes the kind of elements into a list",
	"keepOwn":      "as list",
	"appendList":   "reads the kind of elements, and elements",
	"appendWords":  "reads elements of a list",
	"bits":         "as appendWords",
	"flatten":      "as appendWords",
	"fillWords":    "reads what join made, which looked",
	"asimResult":   "reads what convert made for a kind that is not pure, which looked",
}

// TestValuesAreNotReadUnseen holds code that reads the text or number of a val to noting it for lessons. Lists, maps and
// bytes are noted when they are read from the record.
func TestValuesAreNotReadUnseen(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || path == "lesson.go" || path == "pattern.go" || path == "library.go" || path == "shape.go" { // the other side of it
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			var reads, notes bool
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					switch s.Sel.Name {
					case "str", "num", "float":
						reads = true
					case "look", "takes", "within":
						notes = true
					}
				}
				return true
			})
			if reads && !notes {
				found[f.Name.Name] = true
				assert.NotEmpty(t, readers[f.Name.Name], "%s reads a val and does not call look", f.Name.Name)
			}
		}
	}
	for name := range readers {
		assert.True(t, found[name], "%s reads nothing unseen", name)
	}
}
