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
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
)

//go:embed control/*.sql cell/*.sql store/*.sql
var files embed.FS

// Step is one migration: its number is its place in the list, from 1.
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
	for i, entry := range entries {
		if !strings.HasPrefix(entry.Name(), fmt.Sprintf("%04d_", i+1)) {
			panic(fmt.Sprintf("migration %s/%s is not number %d", folder, entry.Name(), i+1))
		}
		body, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			panic(err)
		}
		list = append(list, Step{entry.Name(), string(body)})
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
