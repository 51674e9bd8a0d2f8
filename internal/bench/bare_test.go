package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/child"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// task is what the bare handler does in place of the program: a page of the store's
// products, by the statement that the program sends for it.
type task struct {
	Database, Schema string
	Connections      int
	SQL              string
	Args             []string
	Tail, Memory     string
}

// heard remembers the statement that was sent last.
type heard struct{ sql string }

func (h *heard) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	h.sql = data.SQL
	return ctx
}

func (h *heard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// task finds out which statement a list of products is.
func (w *world) task() task {
	w.b.Helper()
	ring, err := secrets.ParseRing(w.Env["STOA_SECRET_KEYS"])
	if err != nil {
		w.b.Fatal(err)
	}
	cell, address, _ := strings.Cut(w.Env["STOA_CELLS"], "=")
	var sent heard
	db, err := postgres.Open(postgres.Config{
		Control: w.Env["STOA_DATABASE_URL"], Cells: map[string]string{cell: address}, Sealer: ring,
		Tracer: func(string) pgx.QueryTracer { return &sent },
	})
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ref := postgres.StoreRef{
		ID: w.storeID, Mode: "live", Cell: cell,
		Schema: apptest.Query[int64](w.Program, `select number from schemas where store_id = $1 and mode = 'live'`, w.storeID)[0],
		Login:  apptest.Query[int](w.Program, `select login from schemas where store_id = $1 and mode = 'live'`, w.storeID)[0],
	}
	media := strings.TrimSuffix(w.Config.Site.StoreURL(w.address).String(), "/")
	filter := catalog.ProductFilter{Media: media, Limit: perPage}
	page, err := catalog.Products(postgres.WithStore(w.b.Context(), ref), db, filter)
	if err != nil {
		w.b.Fatal(err)
	}
	if page.Next == "" {
		w.b.Fatal("the store has no second page")
	}
	args := []string{media, fmt.Sprint(perPage), "", "", "", ""}
	for _, value := range filter.Values() {
		args = append(args, fmt.Sprint(value))
	}
	return task{
		Database: address, Schema: postgres.SchemaName(ref.Schema), Connections: connections,
		SQL: sent.sql, Args: args,
	}
}

// startBare starts the bare handler, and gives its address and process.
func startBare(b *testing.B, t task) (addr string, pid int) {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "bare")
	if out, err := exec.Command("go", "build", "-o", binary, "./bare").CombinedOutput(); err != nil {
		b.Fatalf("build the bare handler: %v\n%s", err, out)
	}
	given, err := json.Marshal(t)
	if err != nil {
		b.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	command := exec.Command(binary)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(given), in, os.Stderr
	process, err := child.Start(command, child.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = process.Stop() }) // killed, and so with an error
	if err := out.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the bare handler does not start: %v", err)
	}
	return strings.TrimSpace(line), process.PID()
}
