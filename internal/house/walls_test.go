package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/stoacommerce/stoa"

// floors are the rooms of the house from the top down. A package may import packages of
// lower floors and of its own room, never of a room on its own floor or above.
var floors = [][]string{
	{"cmd"},
	{"app"},
	{"openapi/handlers", "web"},
	{"openapi", "commerce", "billing", "webhooks"},
	{"tenants"},
	{"migrations"},
	{"platform"},
	{"observability", "docs"},
}

// tools are rooms that are no part of the program, and so are packages for tests, whose
// names say so: nothing of the program imports them, and they may import anything.
var tools = []string{"internal", "deploy", "helm", "terraform", "openapi/contract/breaking", "openapi/contract/bundle"}

func isTool(path string) bool { return within(path, tools) || ForTests(path) }

// rules are walls within and between rooms, beyond the floors: packages whose path
// begins with one of from import none that begins with one of never, but for those that
// begin with one of but.
var rules = []struct {
	why              string
	from, never, but []string
}{
	{
		why:   "domain packages know no router and no generated type",
		from:  []string{"tenants", "commerce", "billing", "webhooks"},
		never: []string{"github.com/gorilla", "github.com/a-h/templ", module + "/openapi", module + "/platform/httpserver"},
	},
	{
		why:   "domain packages know no HTTP, save the one whose noun is calling others by it",
		from:  []string{"tenants", "commerce", "billing"},
		never: []string{"net/http"},
	},
	{
		why:   "generated models are for handlers; everyone else has types of their own",
		from:  []string{"app", "cmd", "web", "tenants", "commerce", "billing", "webhooks", "platform", "migrations"},
		never: []string{module + "/openapi/gen"},
	},
	{
		why:  "checkout alone sees all of commerce, and nothing of commerce sees it",
		from: []string{"commerce"}, never: []string{module + "/commerce/checkout"},
	},
	{
		why:  "an order outlives its cart and knows nothing of it",
		from: []string{"commerce/orders"}, never: []string{module + "/commerce/cart"},
	},
	{
		why:   "connections are opened behind one door",
		from:  []string{"app", "openapi", "web", "tenants", "commerce", "billing", "webhooks", "platform"},
		never: []string{"github.com/jackc/pgx/v5/pgxpool", "github.com/jackc/pgx/v5/stdlib", "github.com/uptrace/bun/driver"},
		but:   []string{"platform/postgres", "platform/jobs"}, // River takes a pool of pgx's own
	},
	{
		why:   "what is for tests is not for the program",
		from:  []string{"cmd", "app", "openapi", "web", "tenants", "commerce", "billing", "webhooks", "migrations", "platform", "observability"},
		never: []string{"testing", "net/http/httptest"},
	},
	{
		why:   "embedded services are started by the program's wiring alone",
		from:  []string{"openapi", "web", "tenants", "commerce", "billing", "webhooks", "platform", "migrations"},
		never: []string{module + "/platform/embedded"},
		but:   []string{"platform/embedded"},
	},
}

// A goPackage is what go list tells of one.
type goPackage struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string // of the program, without tests
}

func (p goPackage) path() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

var packages = sync.OnceValues(func() (all []goPackage, err error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports", module+"/...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		all = append(all, p)
	}
})

func allPackages(t *testing.T) []goPackage {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages only", len(all))
	}
	return all
}

// within says whether path is one of the rooms or lies in one.
func within(path string, rooms []string) bool {
	return slices.ContainsFunc(rooms, func(room string) bool {
		return path == room || strings.HasPrefix(path, room+"/")
	})
}

// roomOf is the room that a package lies in, the most precise one, and its floor.
func roomOf(path string) (room string, floor int) {
	floor = -1
	for i, rooms := range floors {
		for _, r := range rooms {
			if within(path, []string{r}) && len(r) > len(room) {
				room, floor = r, i
			}
		}
	}
	return room, floor
}

func TestImportsPointDownward(t *testing.T) {
	for _, p := range allPackages(t) {
		if isTool(p.path()) {
			continue
		}
		room, floor := roomOf(p.path())
		if floor < 0 {
			t.Errorf("%s lies in no room of the house; give it one, or add one to floors", p.path())
			continue
		}
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			if isTool(target) {
				t.Errorf("%s imports %s, which is a tool or for tests, and no part of the program", p.path(), target)
				continue
			}
			otherRoom, otherFloor := roomOf(target)
			if room != otherRoom && otherFloor <= floor {
				t.Errorf("%s imports %s, which lies on a floor above or beside it", p.path(), target)
			}
		}
	}
}

func TestWallsBetweenRoomsHold(t *testing.T) {
	for _, p := range allPackages(t) {
		for _, rule := range rules {
			if !within(p.path(), rule.from) || within(p.path(), rule.but) || isTool(p.path()) {
				continue
			}
			for _, imported := range p.Imports {
				if within(imported, rule.never) && !within(imported, []string{p.ImportPath}) {
					t.Errorf("%s imports %s, but %s", p.path(), imported, rule.why)
				}
			}
		}
	}
}

// The tests above would hold nothing if they could not fail.
func TestTheWallsCanBeHit(t *testing.T) {
	for path, want := range map[string]int{"openapi/handlers": 2, "openapi/gen": 3, "openapi": 3, "commerce/orders": 3, "platform/ids": 6, "elsewhere": -1} {
		if _, floor := roomOf(path); floor != want {
			t.Errorf("%s is on floor %d, want %d", path, floor, want)
		}
	}
	for path, want := range map[string]bool{"platform/embedded/testenv": true, "openapi/apitest": true, "migrations/testdb": true, "internal/lint": true, "commerce/orders": false} {
		if isTool(path) != want {
			t.Errorf("%s is a tool or for tests: %v", path, !want)
		}
	}
	if !within("commerce/cart", []string{"commerce"}) || within("commercial", []string{"commerce"}) {
		t.Error("rooms are told apart by more or less than their names")
	}
}
