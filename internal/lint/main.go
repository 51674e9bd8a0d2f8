// Lint holds the project's Go code against analyzers beyond those of go vet, which runs
// it package by package and remembers what has not changed:
//
//	go vet -vettool=bin/lint -errcheck.exclude=$PWD/internal/lint/unchecked.txt ./...
//
// Generated files are passed over, and so is a line that ends in a comment such as
// "//nolint:errorlint // why": the analyzer's name, and a reason. What staticcheck finds
// is found by its own command.
package main

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gordonklaus/ineffassign/pkg/ineffassign"
	"github.com/kisielk/errcheck/errcheck"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/stoacommerce/stoa/internal/house"
)

func main() {
	unitchecker.Main(
		written(ineffassign.Analyzer, everywhere),
		written(errcheck.Analyzer, program),
		written(errorlint.NewAnalyzer(), program),
		written(bodyclose.Analyzer, program),
		written(nilness.Analyzer, everywhere),
		written(unusedwrite.Analyzer, everywhere),
		written(documented, program),
	)
}

// everywhere and program say in which files an analyzer's findings count.
func everywhere(string) bool { return true }
func program(file string) bool {
	return !strings.HasSuffix(file, "_test.go") && !house.ForTests(filepath.Base(filepath.Dir(file)))
}

// written is an analyzer whose findings count in files that people wrote.
func written(a *analysis.Analyzer, counts func(file string) bool) *analysis.Analyzer {
	run := a.Run
	filtered := *a
	filtered.Run = func(pass *analysis.Pass) (any, error) {
		quiet := map[*token.File]bool{}
		excused := map[place]bool{}
		for _, f := range pass.Files {
			file := pass.Fset.File(f.FileStart)
			quiet[file] = ast.IsGenerated(f) || !counts(file.Name())
			for _, group := range f.Comments {
				for _, c := range group.List {
					if excuses(c.Text, a.Name) {
						excused[place{file, file.Line(c.Pos())}] = true
					}
				}
			}
		}
		inner := *pass
		inner.Report = func(d analysis.Diagnostic) {
			file := pass.Fset.File(d.Pos)
			if !quiet[file] && !excused[place{file, file.Line(d.Pos)}] {
				pass.Report(d)
			}
		}
		return run(&inner)
	}
	return &filtered
}

type place struct {
	file *token.File
	line int
}

// excuses says whether a comment names the analyzer and gives a reason.
func excuses(comment, analyzer string) bool {
	rest, found := strings.CutPrefix(comment, "//nolint:")
	names, reason, given := strings.Cut(rest, "//")
	return found && given && strings.TrimSpace(reason) != "" &&
		slices.Contains(strings.Split(strings.TrimSpace(names), ","), analyzer)
}

// documented finds what is exported without a word of explanation.
var documented = &analysis.Analyzer{
	Name: "documented",
	Doc:  "exported names have a doc comment, or stand in a group that has one",
	Run: func(pass *analysis.Pass) (any, error) {
		if pass.Pkg.Name() == "main" {
			return nil, nil
		}
		for _, f := range pass.Files {
			for _, decl := range f.Decls {
				checkDocumented(pass, decl)
			}
		}
		return nil, nil
	},
}

func checkDocumented(pass *analysis.Pass, decl ast.Decl) {
	undocumented := func(name *ast.Ident) {
		if name.IsExported() {
			pass.Reportf(name.Pos(), "exported %s has no doc comment", name.Name)
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && exportedReceiver(d) {
			undocumented(d.Name)
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return
		}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Doc == nil && s.Comment == nil {
					undocumented(s.Name)
				}
			case *ast.ValueSpec:
				if s.Doc == nil && s.Comment == nil {
					for _, name := range s.Names {
						undocumented(name)
					}
				}
			}
		}
	}
}

// exportedReceiver says whether a function can be called from outside: a method of an
// unexported type serves an interface, where it is explained.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
