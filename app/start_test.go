package app_test

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/embedded"
)

// probed asks a program's operations port.
func probed(t *testing.T, p *apptest.Process, path string) (status int, said string) {
	t.Helper()
	answer, err := http.Get(p.OpsURL + path)
	if err != nil {
		return 0, err.Error()
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode, string(text)
}

// TestAFirstStartWaitsForTheMigrations starts the program as it is delivered on an empty
// database: it waits, alive and not ready, says why, and goes on by itself once migrated.
func TestAFirstStartWaitsForTheMigrations(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t)
	api := apptest.First(t, binary, "serve", nil)
	shared := api.Env.Shared()
	worker, given := apptest.First(t, binary, "work", shared), apptest.First(t, binary, "serve", shared)
	all := []*apptest.Process{api, worker, given}
	for _, p := range all {
		apptest.Eventually(t, 30*time.Second, "it says what it waits for", func() bool {
			status, said := probed(t, p, "/readyz")
			return status == http.StatusServiceUnavailable && strings.Contains(said, "the database is not migrated yet")
		})
		if status, said := probed(t, p, "/healthz"); status != http.StatusOK {
			t.Errorf("while it waits it does not live: %d %s", status, said)
		}
	}
	health := exec.Command(binary, "health")
	health.Env = api.Env.List()
	if out, err := health.CombinedOutput(); err == nil || !strings.Contains(string(out), "not migrated yet") {
		t.Errorf("stoa health says: %v %s", err, out)
	}

	began := time.Now()
	if err := given.Terminate(10 * time.Second); err != nil || time.Since(began) > 2*time.Second {
		t.Errorf("one that waits ended after %v: %v", time.Since(began), err)
	}
	time.Sleep(1200 * time.Millisecond) // it looks again, and says nothing again
	api.Migrate()
	apptest.Eventually(t, 30*time.Second, "it serves", api.Answers)
	for _, p := range []*apptest.Process{api, worker} {
		apptest.Eventually(t, 30*time.Second, "it is ready", func() bool {
			status, _ := probed(t, p, "/readyz")
			return status == http.StatusOK
		})
		if p.Ended() || strings.Count(p.Log(), "the database is not migrated yet: it waits") != 1 {
			t.Errorf("it ended (%t), or said more than once that it waits:\n%s", p.Ended(), p.Log())
		}
	}
	born := openMarket(t, []int64{3}, api.Program)
	if kept := apptest.Query[string](api.Program, `select status from stores where id = $1`, born.storeID); len(kept) != 1 || kept[0] != "active" {
		t.Errorf("the first store is %q", kept)
	}
	apptest.Eventually(t, time.Minute, "the worker does what is due", func() bool {
		return apptest.Query[int](api.Program, `select count(*)::int from tasks where succeeded_at is not null`)[0] > 0
	})
	for _, p := range []*apptest.Process{api, worker} {
		if err := p.Terminate(30 * time.Second); err != nil {
			t.Errorf("it ended with %v:\n%s", err, p.Log())
		}
	}
}

// TestAFirstStartWaitsForTheDatabase starts the program before its database.
func TestAFirstStartWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	options := embedded.PostgresOptions{Dir: t.TempDir(), Fast: true, MaxConnections: 60}
	server, err := embedded.StartPostgres(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	address := server.URL()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	p := apptest.First(t, apptest.Build(t), "serve", apptest.Env{"STOA_DATABASE_URL": address})
	apptest.Eventually(t, 30*time.Second, "it lives, not ready", func() bool {
		status, said := probed(t, p, "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(said, `"control"`)
	})
	options.Port = 0 // that of its last start
	if server, err = embedded.StartPostgres(context.Background(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	p.Migrate()
	apptest.Eventually(t, 30*time.Second, "it serves", p.Answers)
	if !strings.Contains(p.Log(), "the database cannot be reached: it waits for it") {
		t.Errorf("its log:\n%s", p.Log())
	}
	if err := p.Terminate(30 * time.Second); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestReadyIsListening starts a process on a database that is there and migrated: from the moment on in which it says that it
// is ready, its requests are answered.
func TestReadyIsListening(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t)
	first := apptest.Spawn(t, binary, nil)
	shared := first.Env.Shared()
	for range 3 {
		p := apptest.First(t, binary, "serve", shared)
		var said string
		for status := 0; status != http.StatusOK; status, said = probed(t, p, "/readyz") {
			if p.Ended() {
				t.Fatalf("it ended:\n%s", p.Log())
			}
		}
		if !p.Answers() {
			t.Errorf("it says %s, and answers nothing", said)
		}
		p.Kill()
	}
}
