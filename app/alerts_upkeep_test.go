//go:build rehearse

package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/observability/promtest"
)

// upkeep fails: regular tasks, room, certificates.
func (r *rehearsed) upkeep() []cause {
	refuse := `create or replace function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused by the rehearsal'; end $$;`
	return []cause{
		{"TaskFails", "the control database refuses what a regular task writes, each time that it runs", func() {
			r.task("keeping.capacity") // what never ran has no figures
			time.Sleep(35 * time.Second)
			r.server.Exec(refuse + `create trigger refuse before insert on cell_sizes for each row execute function public.refuse()`)
			go func() {
				for range 20 {
					r.task("keeping.capacity")
					time.Sleep(5 * time.Second)
				}
			}()
		}, func() { r.server.Exec(`drop trigger refuse on cell_sizes`) }},
		{"CellFillsSoon", "a cell that was empty yesterday has room for one store more", func() {
			for range 4 {
				r.server.ForgetLimits()
				openShop(r.t, r.server.Program)
			}
			r.server.Exec(`delete from cell_sizes where cell = $1`, r.cellName)
			r.server.Exec(`insert into cell_sizes (cell, day, schemas, bytes) values ($1, current_date - 1, 0, 0)`, r.cellName)
			r.server.Exec(`update cells set max_stores = 1 + (select count(*) from schemas where cell = $1 and state not in ('retired', 'ready')) where name = $1`, r.cellName)
			r.task("keeping.capacity")
			if !soon(patience, func() bool {
				return apptest.Query[bool](r.server.Program, `select exists (select from cell_sizes where cell = $1 and day = current_date)`, r.cellName)[0]
			}) {
				r.t.Error("the cell is not measured")
			}
		}, func() { r.server.Exec(`update cells set max_stores = 500`) }},
		{"CertificatesRefused", "the certificate authority refuses certificates for five domains", func() {
			for n := range 5 {
				r.domain(fmt.Sprintf("www.d%d%s.com", n, run()))
			}
		}, nil},
	}
}

// task has a worker do a regular task before its time.
func (r *rehearsed) task(name string) {
	command := exec.Command(r.binary, "task", "run", name)
	command.Env = append(os.Environ(), r.server.Env.List()...)
	if out, err := command.CombinedOutput(); err != nil {
		r.t.Errorf("stoa task run: %v\n%s", err, out)
	}
}

// domain brings a domain that the authority gives no certificate for.
func (r *rehearsed) domain(name string) {
	r.server.ForgetLimits()
	r.certify.Refuse(r.t, name)
	claimed := r.merchant.call(r.t, "POST", "/v1/domains", r.merchant.secret, map[string]any{"name": name}, http.StatusCreated)
	lead(r.t, r.names, claimed)
	r.merchant.call(r.t, "POST", "/v1/domains/"+claimed.text("id")+"/verify", r.merchant.secret, nil, http.StatusOK)
}

// limits are exceeded.
func (r *rehearsed) limits() []cause {
	const day = 20_000 // requests, of the plan "free"
	return []cause{{"StoreOverItsTotal", "shoppers ask more of a store than its plan has for a day: 20,000 requests", func() {
		r.server.ForgetLimits()
		shop := openShop(r.t, r.server.Program)
		var asked atomic.Int64
		go r.many(16, func() {
			for n := asked.Add(1); n < day+2000; n = asked.Add(1) {
				r.hit("GET", r.server.URL+"/v1/shop", shop.publishable)
			}
		})
		soon(4*time.Minute, func() bool { return asked.Load() > day })
	}, nil}}
}

// mistakes are made in the program: a build that has two takes the place of the server.
func (r *rehearsed) mistakes() []cause {
	ask := func(day string) {
		go func() {
			for range 10 {
				r.hit("GET", r.server.URL+"/v1/usage?to="+day, r.merchant.secret)
				time.Sleep(2 * time.Second)
			}
		}()
	}
	return []cause{
		{"PanicCaught", "a build whose handler panics takes the place of a process", func() {
			r.server.Replace(mistaken(r.t))
			time.Sleep(6 * time.Second) // its figures are seen before
			ask("2001-01-01")
		}, nil},
		{"ContractBroken", "in the same build an answer lacks what the contract promises", func() { ask("2001-01-02") }, func() { r.server.Replace(r.binary) }},
	}
}

// mistaken builds the program with a handler that panics, and whose answer is not what the contract
// says, each on a day of its own.
func mistaken(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../openapi/handlers/billing.go")
	if err != nil {
		t.Fatal(err)
	}
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const before = "func (h *Billing) usage(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {\n"
	wrong := strings.Replace(string(right), before, before+`	switch req.Query.Get("to") {
	case "2001-01-01":
		panic("a mistake of the rehearsal")
	case "2001-01-02":
		return openapi.OK(map[string]any{"a mistake": "of the rehearsal"}), nil
	}
`, 1)
	dir := t.TempDir()
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: filepath.Join(dir, "billing.go")}})
	if err != nil || wrong == string(right) {
		t.Fatalf("the mistake cannot be made (%v)", err)
	}
	for name, text := range map[string]string{"billing.go": wrong, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return apptest.Build(t, "-overlay", filepath.Join(dir, "overlay.json"))
}

// TestRehearseBackupAlerts takes the repository of backups away, and damages what is in it.
func TestRehearseBackupAlerts(t *testing.T) {
	k := openKept(t, 5*time.Second)
	k.does("", "", "backup", "full")
	k.does("", "", "backup", "differential")
	r := &rehearsed{t: t, alarms: promtest.Manage(t)}
	r.prom = promtest.Run(t, promtest.Config{
		Interval: 2 * time.Second, Faster: quicker, Alertmanager: r.alarms.Address,
		Jobs: []promtest.Job{{Name: promtest.Program, Address: strings.TrimPrefix(k.OpsURL, "http://")}},
	})
	k.market.open(1, 300*time.Millisecond)
	repository := filepath.Join(k.cluster.Folder, "repository")
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Error(err)
		}
	}
	var steps []rehearsal.Step
	for _, c := range []cause{
		{"BackupTooOld", "the repository is out of reach, so that the log is not archived", func() { move(repository, repository+"-away") }, func() { move(repository+"-away", repository) }},
		{"RestoreTestFailed", "one bit of each larger file of the repository is turned, and restoring tested", func() { k.breakRepository() }, nil},
	} {
		t.Run(c.alert, func(t *testing.T) { steps = append(steps, r.rehearse(t, c)) })
	}
	k.market.close()
	rehearsal.Publish(t, "alerts backups", steps)
}
