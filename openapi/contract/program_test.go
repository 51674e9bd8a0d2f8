package contract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/webhooks"
)

// kinds are the names of the kinds of problems, as the program writes them.
var kinds = map[string]problem.Kind{
	"Invalid": problem.Invalid, "Unauthenticated": problem.Unauthenticated, "Forbidden": problem.Forbidden, "NotFound": problem.NotFound,
	"MethodNotAllowed": problem.MethodNotAllowed, "Conflict": problem.Conflict, "Gone": problem.Gone, "Stale": problem.Stale,
	"TooLarge": problem.TooLarge, "UnsupportedMediaType": problem.UnsupportedMediaType, "Unprocessable": problem.Unprocessable,
	"PreconditionRequired": problem.PreconditionRequired, "Limited": problem.Limited, "Internal": problem.Internal,
	"Unavailable": problem.Unavailable, "DeadlineExceeded": problem.DeadlineExceeded,
}

// calls finds every call of a function in the program's own source, tests left out.
func calls(t *testing.T, pkg, function string, found func(at token.Position, args []ast.Expr)) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".gen.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && names(call.Fun, pkg, function) {
				found(files.Position(call.Pos()), call.Args)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// names says whether an expression is pkg.name.
func names(e ast.Expr, pkg, name string) bool {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	return ok && x.Name == pkg && selector.Sel.Name == name
}

// literal is the text of a string literal, or empty.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		s, err := strconv.Unquote(l.Value)
		if err == nil {
			return s
		}
	}
	return ""
}

func TestCodesThatTheProgramAnswersAreDocumented(t *testing.T) {
	list, err := contract.Errors()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]int{}
	for _, c := range list {
		documented[c.Code] = c.Status
	}
	seen := 0
	calls(t, "problem", "New", func(at token.Position, args []ast.Expr) {
		code := ""
		if len(args) > 1 {
			code = literal(args[1])
		}
		kind, ok := args[0].(*ast.SelectorExpr)
		if code == "" || !ok {
			return // a code that is passed on; its origin is looked at
		}
		seen++
		status := int(kinds[kind.Sel.Name])
		if documented[code] != status {
			t.Errorf("%s: %q is answered %d %s, but openapi/contract/errors.yaml says %d", at, code, status, http.StatusText(status), documented[code])
		}
	})
	if seen == 0 {
		t.Error("no problem was found in the program")
	}
}

func TestEventsThatTheProgramWritesAreInTheContract(t *testing.T) {
	known := map[string]bool{}
	var listed []string
	for _, value := range load(t).Components.Schemas["EventType"].Value.Enum {
		name, _ := value.(string)
		known[name], listed = true, append(listed, name)
	}
	if !slices.Equal(listed, webhooks.Types) {
		t.Errorf("webhooks.Types are %v, the contract's %v", webhooks.Types, listed)
	}
	calls(t, "journal", "Event", func(at token.Position, args []ast.Expr) {
		if name := literal(args[2]); name != "" && !known[name] {
			t.Errorf("%s: the event %q is not among the types of the contract", at, name)
		}
	})
}
