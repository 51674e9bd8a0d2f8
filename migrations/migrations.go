// Package migrations holds the tables of the platform, of the cells and of the stores as
// plain SQL, and brings databases up to them: the control database, each cell, and
// every store's schema. It also makes store schemas ahead of need, and unmakes them.
//
// A migration runs forward only, and leaves tables that the program before it can still
// use, so that two versions serve at once while it is under way.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/stoacommerce/stoa/platform/postgres"
)

//go:embed control/*.sql cell/*.sql store/*.sql
var files embed.FS

// Step is one migration: its number is its place in the list, from 1. Files that begin
// with the same number are one step, in the order of their names.
type Step struct {
	Name string
	SQL  string
}

func steps(folder string) []Step {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		panic(err) // embedded: cannot be missing
	}
	var list []Step
	for _, entry := range entries {
		body, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			panic(err)
		}
		switch number, n := entry.Name()[:4], len(list); number {
		case fmt.Sprintf("%04d", n):
			list[n-1].SQL += string(body)
		case fmt.Sprintf("%04d", n+1):
			list = append(list, Step{number, string(body)})
		default:
			panic(fmt.Sprintf("migration %s/%s has a number that does not follow", folder, entry.Name()))
		}
	}
	return list
}

// StoreSteps are the migrations of stores that this program brings.
func StoreSteps() []Step { return steps("store") }

// Runner brings databases up to date.
type Runner struct {
	DB        *postgres.DB
	Logins    int // logins of each cell; 0 means 4
	MaxStores int // how many schemas a new cell takes; 0 means 1,000
	Log       *slog.Logger

	store   []Step
	entered entered
}

// New makes a runner with the migrations of this program.
func New(db *postgres.DB, log *slog.Logger) *Runner { return NewWith(db, log, StoreSteps()) }

// NewWith makes a runner with other migrations of stores, as a program of another version
// has; it is for tests and measurements.
func NewWith(db *postgres.DB, log *slog.Logger, store []Step) *Runner {
	return &Runner{DB: db, Logins: 4, MaxStores: 1000, Log: log, store: store}
}

// appendOnly are the tables of a store that its own role may add to and read, and not
// change: what was written down stays.
var appendOnly = []string{"audit_entries", "stock_movements"}
