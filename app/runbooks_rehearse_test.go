//go:build rehearse

package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/observability/promtest"
)

// elsewhere are commands of the runbooks that are not run here, and where they are.
var elsewhere = map[string]string{
	`kubectl -n stoa exec deploy/stoa-api -- stoa store list`:                                                                      "TestRehearseNode",
	`kubectl -n stoa logs -l 'app.kubernetes.io/component in (api, worker)' --since=1h --tail=-1 --max-log-requests=50 > stoa.log`: "TestRehearseNode",
	`journalctl -o cat -u 'stoa*' --since -1h > stoa.log`:                                                                          "TestRehearseOneServer",
	`stoa backup full`:                               "TestRehearseRestore",
	`make check`:                                     "each change",
	`systemctl status nginx`:                         "TestRehearseOneServer",
	`systemctl restart nginx`:                        "TestRehearseOneServer",
	`journalctl --vacuum-size=500M`:                  "TestRehearseOneServer",
	`systemctl status 'prometheus-*'`:                "TestRehearseOneServer",
	`systemctl restart prometheus-postgres-exporter`: "TestRehearseOneServer",
}

// silent are commands that have nothing to say, or say it beside; and, with a reason, those that
// find nothing here.
var silent = map[string]string{
	`dmesg | grep -i kill`:                       "nothing was killed",
	`tail /var/log/nginx/error.log`:              "Nginx has nothing to say",
	`nginx -t`:                                   "it says so beside",
	`nginx -s reload`:                            "",
	`logrotate -d /etc/logrotate.d/stoa`:         "it says so beside",
	`curl -s $ops/debug/pprof/heap > heap.pprof`: "",
	`operator differences | jq`:                  "",
	"psql \"$STOA_DATABASE_URL\" -v password=\"'…'\" -f observability/exporters/postgres.sql": "",
	`stoa job retry job_… --reason "…"`:                                                       "",
	`stoa job discard job_… --reason "…"`:                                                     "",
	`stoa migrate`: "",
	`pg_basebackup -h PRIMARY -U replicator -D DATA -R -X stream -c fast -C -S SLOT`:                                   "",
	`vacuum (verbose, analyze) pg_catalog.pg_attribute;`:                                                               "",
	`operator jobs/job_…/discard -d '{"reason": "…"}'`:                                                                 "",
	`curl -i http://shop.example.com/.well-known/acme-challenge/x`:                                                     "Nginx answers 404",
	`jq -c 'select(.msg | test("backup")) | select(.level != "INFO")' stoa.log | tail`:                                 "backups are rehearsed elsewhere",
	`jq -c 'select(.msg | test("restore")) | select(.level != "INFO")' stoa.log | tail`:                                "so are restores",
	`jq -r 'select(.msg | test("certificate")) | [.time, .msg, .error] | @tsv' stoa.log | tail`:                        "there is no authority here",
	`jq -c 'select(.level == "ERROR" and .task != null) | {time, task, error}' stoa.log | tail`:                        "no task fails",
	`jq -c 'select(.msg == "panic while answering a request") | {time, request_id, operation, store, panic}' stoa.log`: "no panic is known",
	`jq -r 'select(.msg == "panic while answering a request") | .stack' stoa.log | head -40`:                           "no panic is known",
}

// typed is a command as a runbook has it.
type typed struct {
	page, text string
	sql        bool
}

var (
	fenced = regexp.MustCompile("(?ms)^ *```(sh|sql)\n(.*?)^ *```")
	inline = regexp.MustCompile("`([^`\n]+)`")
	shell  = regexp.MustCompile(`^(jq|curl|operator|stoa|df|du|dmesg|echo|go tool|journalctl|kubectl|logrotate|make|nginx|pg_basebackup|psql|redis-cli|ss|systemctl|tail) `)
	prose  = regexp.MustCompile(`^(GET|POST) /|^(stoa …|make rehearse .*|request failed|idle in transaction|permission denied for schema …|requested WAL segment … has already been removed)$`)
	query  = regexp.MustCompile(`^(select|alter|vacuum|analyze|update|delete|insert) .*;$|^select .*;`)
	given  = regexp.MustCompile(`(?m)^(ops=.*|operator\(\) .*)\n`) // what the others take for granted
)

// commands are all that the runbooks tell to type, each once, and what they take for granted.
func commands(t *testing.T) (list []typed, prelude string) {
	t.Helper()
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d runbooks (%v)", len(files), err)
	}
	known := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, page := string(raw), strings.TrimSuffix(filepath.Base(file), ".md")
		add := func(command string, sql bool) {
			if command = strings.TrimSpace(command); command != "" && !known[command] {
				known[command] = true
				list = append(list, typed{page, command, sql})
			}
		}
		for _, line := range given.FindAllString(text, -1) {
			prelude += line
		}
		text = given.ReplaceAllString(text, "")
		for _, block := range fenced.FindAllStringSubmatch(text, -1) {
			if block[1] == "sql" {
				add(block[2], true)
				continue
			}
			for line := range strings.Lines(block[2]) {
				line, _, _ = strings.Cut(line, "  #")
				add(line, false)
			}
		}
		for _, span := range inline.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			switch {
			case !strings.Contains(span[1], " "), prose.MatchString(span[1]):
			case shell.MatchString(span[1]):
				add(span[1], false)
			case query.MatchString(span[1]):
				add(span[1], true)
			default:
				t.Errorf("%s has `%s`, which is no command that can be typed here", page, span[1])
			}
		}
	}
	return list, prelude
}

// TestRehearseRunbooks types every command of every runbook on a platform in which things have
// gone wrong: each has to do what it is for, and what looks into the log has to find it.
func TestRehearseRunbooks(t *testing.T) {
	list, prelude := commands(t)
	r := &rehearsed{t: t}
	r.start()
	d := &desk{rehearsed: r, dir: t.TempDir()}
	d.trouble()
	d.furnish(prelude)
	ran, began := 0, time.Now()
	for _, c := range list {
		if elsewhere[c.text] != "" {
			continue
		}
		ran++
		t.Run(c.page, func(t *testing.T) { d.types(t, c) })
	}
	rehearsal.Publish(t, "runbooks", []rehearsal.Step{{
		Done: "the commands of all runbooks were typed, with the names of this platform in the place of the examples'", Took: time.Since(began),
		Came: fmt.Sprintf("%d did what they are for; %d are run elsewhere, or not", ran, len(list)-ran), Lost: "nothing",
	}})
}

// desk is where an operator types.
type desk struct {
	*rehearsed
	dir     string // where commands are typed
	prelude string
	env     []string
	names   []string // what stands in the runbooks, and what is meant here
	jobs    []string // that were set aside
	slots   int
}

// trouble has each kind of fault happen once that the runbooks look for in the log.
func (d *desk) trouble() {
	for _, c := range append(append(d.promises()[:1], d.wall()...), d.sales()[2]) { // failing requests, the wall, sign-ups
		c.fault()
		d.hit("GET", d.server.URL+"/v1/products?limit=3", d.merchant.secret)
		c.mend()
	}
	d.merchant.shopper(d.t).buy(d.variant, "error", "declined", "succeeds")
	d.redis.Kill()
	if !soon(patience, func() bool {
		d.hit("GET", d.server.URL+"/v1/products?limit=3", d.merchant.secret)
		return strings.Contains(d.server.Log(), `"redis lost"`)
	}) {
		d.t.Fatal("that Redis is away is not logged")
	}
	d.redis.Restart()
	d.sql(`insert into river.river_job (kind, args, max_attempts, state, finalized_at, queue) select 'event', '{}', 1, 'discarded', now(), 'default' from generate_series(1, 6)`)
}

// furnish lays out the log, the tools' settings and the names.
func (d *desk) furnish(prelude string) {
	t := d.t
	var log strings.Builder
	for line := range strings.Lines(d.server.Log() + d.worker.Log()) {
		if json.Valid([]byte(line)) {
			log.WriteString(line)
		}
	}
	http80 := "connect-to = shop.example.com:80:" + d.front.HTTP
	for name, text := range map[string]string{
		"stoa.log": log.String(), ".psqlrc": "\\set ON_ERROR_STOP on\n\\set QUIET on\n",
		".curlrc": "fail-with-body\n" + http80 + "\ncacert = " + filepath.Join(d.frontDir, "tls.crt") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	primary, err := url.Parse(d.postgres.URL())
	if err != nil {
		t.Fatal(err)
	}
	d.sql(`create role replicator login replication password '` + exporterPassword + `'`)
	d.prelude = strings.ReplaceAll(prelude, "127.0.0.1:8081", strings.TrimPrefix(d.server.OpsURL, "http://"))
	own := beside(t, d.server.Env) // for what is started by hand
	d.env = append(os.Environ(), own.List()...)
	d.env = append(d.env, "PATH="+filepath.Dir(d.binary)+":"+os.Getenv("PATH"), "HOME="+d.dir, "PSQLRC="+filepath.Join(d.dir, ".psqlrc"), "GOCACHE="+goCache(t),
		"STOA_OPERATOR_KEY="+d.server.OperatorKey("admin"), "STOA_PUBLIC_URL="+strings.Replace(d.server.URL, "127.0.0.1", "localhost", 1), "PGPORT="+primary.Port(), "PGPASSWORD="+exporterPassword)
	database := promtest.Postgres(t, exporterOf(t, d.server.Program), "control")
	door := promtest.FrontDoor(t, "https://"+d.front.HTTPS+"/", "localhost", filepath.Join(d.frontDir, "tls.crt"))
	_, port, _ := strings.Cut(d.front.HTTPS, ":")
	d.names = []string{
		"stoa.example.com:443 -servername stoa.example.com", d.front.HTTPS + " -servername localhost", "target=https://stoa.example.com/", "target=https://" + d.front.HTTPS + "/",
		"https://stoa.example.com/", "https://localhost:" + port + "/", "127.0.0.1:9187", database.Address, "127.0.0.1:9115", door.Address,
		"cell=main", "cell=" + d.cellName, "MOUNTPOINT", d.disk, `"reason": "…"`, `"reason": "Rehearsed"`, `--reason "…"`, `--reason "Rehearsed"`,
		"PRIMARY", "127.0.0.1", "-D DATA", "-D " + filepath.Join(t.TempDir(), "data"), "/var/log/nginx", d.frontDir, "sport = :443", "sport = :" + port,
		"/etc/logrotate.d/stoa", filepath.Join(root, "deploy/logs/logrotate.conf"), "observability/exporters", filepath.Join(root, "observability/exporters"),
		"password=\"'…'\"", "password=\"'" + exporterPassword + "'\"", "req_…", requestIn(t, log.String()),
	}
}

// requestIn is the ID of a request that failed.
func requestIn(t *testing.T, log string) string {
	found := regexp.MustCompile(`"msg":"request failed".*"request_id":"(req_\w+)"`).FindStringSubmatch(log)
	if found == nil {
		t.Fatal("no request that failed is in the log")
	}
	return found[1]
}

func goCache(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// types runs a command and holds what comes of it against what it is for.
func (d *desk) types(t *testing.T, c typed) {
	d.t = t
	text := d.meant(c.text)
	// What writes on to "head" ends by SIGPIPE (141), and curl by itself (23).
	command := exec.Command("bash")
	if c.sql {
		command = exec.Command("psql", d.database(c.text))
	} else {
		text = d.prelude + text + "\nfor status in \"${PIPESTATUS[@]}\"; do [ $status = 0 ] || [ $status = 141 ] || [ $status = 23 ] || exit $status; done\n"
	}
	command.Dir, command.Env, command.Stdin = d.dir, d.env, strings.NewReader(text)
	var faults strings.Builder
	command.Stderr = &faults
	out, err := command.Output()
	why, may := silent[c.text]
	if err != nil && !(may && why != "") {
		t.Errorf("%s: %v\n%s%s\nwas typed:\n%s", c.text, err, out, faults.String(), text)
	}
	if said := strings.TrimSpace(string(out)); !may && (said == "" || said == "null") {
		t.Errorf("%s finds nothing\n%s", c.text, faults.String())
	}
	if !c.sql {
		for _, name := range empty(string(out), c.text) {
			t.Errorf("%s: what it calls %s is nowhere", c.text, name)
		}
	}
}

// meant puts this platform's names in the place of the examples'.
func (d *desk) meant(text string) string {
	text = strings.NewReplacer(d.names...).Replace(text)
	switch {
	case strings.Contains(text, "/suspend"):
		d.server.ForgetLimits()
		text = strings.ReplaceAll(text, "sto_…", openShop(d.t, d.server.Program).id)
	case strings.Contains(text, "pg_cancel_backend(pid)"):
		text = strings.ReplaceAll(text, "(pid)", "((select pid from pg_stat_activity where query = 'select pg_sleep(300)' limit 1))")
		sleeper := exec.Command("psql", d.postgres.URL(), "-c", "select pg_sleep(300)")
		if err := sleeper.Start(); err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() })
		soon(patience, func() bool {
			var n int
			err := d.cell.QueryRow(d.t.Context(), `select count(*) from pg_stat_activity where query = 'select pg_sleep(300)'`).Scan(&n)
			return err == nil && n > 0
		})
	case strings.Contains(text, "pg_drop_replication_slot"):
		d.slots++
		d.sql(`select pg_create_physical_replication_slot($1)`, fmt.Sprint("idle_", d.slots))
		text = strings.ReplaceAll(text, "…", fmt.Sprint("idle_", d.slots))
	case strings.HasPrefix(text, "nginx "):
		text = "nginx -p " + d.frontDir + " -c " + filepath.Join(d.frontDir, "nginx.conf") + strings.TrimPrefix(text, "nginx")
	case text == "stoa serve", text == "stoa work":
		text = "timeout --preserve-status --signal=TERM 10 " + text + "; echo ended"
	}
	if strings.Contains(text, "job_…") {
		text = strings.ReplaceAll(text, "job_…", d.setAside())
	}
	text = strings.ReplaceAll(text, "-S SLOT", "-S standby_made_anew")
	return strings.ReplaceAll(text, "sto_…", d.merchant.id)
}

// setAside is a job that was set aside, another one each time.
func (d *desk) setAside() string {
	if d.jobs == nil {
		answer, err := http.NewRequestWithContext(d.t.Context(), "GET", d.server.URL+"/v1/operator/jobs?state=set_aside", nil)
		if err != nil {
			d.t.Fatal(err)
		}
		answer.Header.Set("Authorization", "Bearer "+d.server.OperatorKey("admin"))
		said, err := http.DefaultClient.Do(answer)
		if err != nil {
			d.t.Fatal(err)
		}
		defer func() { _ = said.Body.Close() }()
		var list struct{ Data []struct{ ID string } }
		if err := json.NewDecoder(said.Body).Decode(&list); err != nil || len(list.Data) < 6 {
			d.t.Fatalf("%d jobs are set aside (%v)", len(list.Data), err)
		}
		for _, job := range list.Data {
			d.jobs = append(d.jobs, job.ID)
		}
	}
	next := d.jobs[0]
	d.jobs = d.jobs[1:]
	return next
}

// database is where a query is asked: by the tables that it names, on the control database, on
// the standby, or else in the cell.
func (d *desk) database(text string) string {
	switch {
	case strings.Contains(text, "from domains"), strings.Contains(text, "from cell_sizes"):
		return d.server.Env["STOA_DATABASE_URL"]
	case strings.Contains(text, "replay_resume"), strings.Contains(text, "replay_paused"):
		return d.standby.url
	}
	return d.postgres.URL()
}

// empty are the fields that a command names, of objects that stand one a line, which have a value
// in none of them: what is called so is called otherwise.
func empty(out, command string) (names []string) {
	values := map[string]bool{}
	for line := range strings.Lines(out) {
		var object map[string]any
		if json.Unmarshal([]byte(line), &object) != nil {
			return nil
		}
		for name, value := range object {
			values[name] = values[name] || value != nil
		}
	}
	for name, some := range values {
		if !some && regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(command) {
			names = append(names, name)
		}
	}
	return names
}
