package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/child"
)

// developer is somebody who runs the program as make dev does, in a folder of their own.
type developer struct {
	t       *testing.T
	binary  string
	folder  string
	addr    string
	url     string
	env     []string
	process *child.Process
	since   time.Time     // when the last process was started
	out     *bytes.Buffer // of the last process; to be read once it has ended
}

func newDeveloper(t *testing.T, binary string, env ...string) *developer {
	t.Helper()
	addr := apptest.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	d := &developer{t: t, binary: binary, folder: t.TempDir(), addr: addr, url: "http://localhost:" + port}
	d.env = append([]string{"HOME=" + d.folder, "STOA_HTTP_ADDR=" + addr, "STOA_OPS_ADDR=" + apptest.FreeAddr(t), "STOA_BCRYPT_COST=4", "STOA_LOG_LEVEL=warn"}, env...)
	t.Cleanup(d.kill)
	return d
}

// command is the program with arguments.
func (d *developer) command(arguments string) *exec.Cmd {
	command := exec.Command(d.binary, strings.Fields(arguments)...)
	command.Dir, command.Env = d.folder, d.env
	return command
}

// dev starts the program. What it prints is in d.out when it has ended.
func (d *developer) dev() {
	d.t.Helper()
	command := d.command("dev")
	d.out, d.since = &bytes.Buffer{}, time.Now()
	command.Stdout, command.Stderr = d.out, d.out
	var err error
	if d.process, err = child.Start(command, child.Options{}); err != nil {
		d.t.Fatal(err)
	}
}

// await waits for something that comes about while the program runs.
func (d *developer) await(what string, holds func() bool) {
	d.t.Helper()
	apptest.Eventually(d.t, 100*time.Second, what, func() bool {
		select {
		case <-d.process.Done():
			d.t.Fatalf("the program ended: %v\n%s", d.process.Err(), d.out)
		default:
		}
		return holds()
	})
}

func (d *developer) kill() {
	if d.process != nil {
		_ = d.process.Stop() // killed, and so with an error
		d.process = nil
	}
}

// interrupt ends the program as Ctrl-C does, which ends it well and all that it has started.
func (d *developer) interrupt() {
	d.t.Helper()
	started := descendants(d.t, d.process.PID())
	if err := d.process.Stop(child.Step{Signal: syscall.SIGINT, Wait: time.Minute}); err != nil {
		d.t.Errorf("the program does not end at once: %v", err)
	}
	if err := d.process.Err(); err != nil {
		d.t.Errorf("the program ended with %v\n%s", err, d.out)
	}
	d.process = nil
	apptest.Eventually(d.t, time.Minute, "nothing that it started runs any more", func() bool { return !slices.ContainsFunc(started, func(pid int) bool { return !gone(pid) }) })
}

// refused runs the program to its end, which has to be a refusal in these words.
func (d *developer) refused(verb, words string) {
	d.t.Helper()
	out, err := d.command(verb).CombinedOutput()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || !strings.Contains(string(out), words) {
		d.t.Errorf("stoa %s answered %v, without %q:\n%s", verb, err, words, out)
	}
}

// beside runs another command on the services of the running program, as dev.json tells it.
func (d *developer) beside(kept told, arguments, words string) {
	d.t.Helper()
	other := &developer{t: d.t, binary: d.binary, folder: d.t.TempDir()}
	for name, value := range kept.Environment {
		other.env = append(other.env, name+"="+value)
	}
	other.refused(arguments, words)
}

func (d *developer) get(address, key string) (status int, body string) {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	// Every name below localhost is this machine, which not all resolvers know.
	here := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, d.addr)
	}
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: here, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// told is what a developer reads in dev.json.
type told struct {
	URL         string            `json:"url"`
	Email       string            `json:"email"`
	Password    string            `json:"password"`
	OperatorKey string            `json:"operator_key"`
	Environment map[string]string `json:"environment"`
	Stores      []struct {
		ShopURL         string `json:"shop_url"`
		LiveSecret      string `json:"live_secret_key"`
		LivePublishable string `json:"live_publishable_key"`
		TestSecret      string `json:"test_secret_key"`
		TestPublishable string `json:"test_publishable_key"`
	} `json:"stores"`
}

// file is dev.json.
func (d *developer) file() string { return filepath.Join(d.folder, ".stoa", "dev.json") }

// read reads dev.json.
func (d *developer) read() (kept told, err error) {
	raw, err := os.ReadFile(d.file())
	if err != nil {
		return kept, err
	}
	return kept, json.Unmarshal(raw, &kept)
}

// written says whether the last process has written a file.
func (d *developer) written(file string) bool {
	info, err := os.Stat(file)
	return err == nil && !info.ModTime().Before(d.since)
}

// ready waits until the program has told of everything, which it does at last.
func (d *developer) ready() (kept told) {
	d.t.Helper()
	d.await("dev.json is written", func() bool {
		if !d.written(d.file()) {
			return false
		}
		var err error
		kept, err = d.read()
		return err == nil
	})
	return kept
}

// answers waits until the program answers.
func (d *developer) answers() {
	d.t.Helper()
	d.await("it answers", func() bool {
		status, _ := d.get(d.url+"/v1/plans", "")
		return status == http.StatusOK
	})
}

// descendants are the processes that one has started, and those that they have.
func descendants(t *testing.T, of int) (list []int) {
	t.Helper()
	out, err := exec.Command("ps", "-eo", "pid=,ppid=").Output()
	if err != nil {
		t.Fatal(err)
	}
	below := map[int][]int{}
	for line := range strings.Lines(string(out)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		below[parent] = append(below[parent], pid)
	}
	list = below[of]
	for i := 0; i < len(list); i++ {
		list = append(list, below[list[i]]...)
	}
	return list
}

// gone says whether a process has ended.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// TestDev goes through a developer's day: a port that is taken, starts that are broken off
// by Ctrl-C and one that is killed at a bad moment, a second one beside it, the first order of
// the README, another kill, Ctrl-C, and a reset.
func TestDev(t *testing.T) {
	t.Parallel()
	d := newDeveloper(t, apptest.Build(t))
	taken, err := net.Listen("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.refused("dev", "STOA_HTTP_ADDR")
	d.refused("serve", "set STOA_DATABASE_URL and STOA_CELLS and STOA_REDIS_URL")
	d.refused("store lst", `unknown command "lst"`)
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"lock", "port"} { // while Postgres is made, and soon after it has started
		d.dev()
		d.await(file+" is written", func() bool { return d.written(filepath.Join(d.folder, ".stoa", "postgres", file)) })
		d.interrupt()
	}
	d.dev()
	d.answers()
	d.kill() // while the stores are being made

	d.dev()
	first := d.ready()
	if first.URL != d.url || first.Email == "" || first.Password == "" || len(first.Stores) != 2 {
		t.Fatalf("dev.json tells %+v", first)
	}
	for i, goods := range []struct {
		word   string
		number int
	}{{"Everything", 26}, {"Alles", 30}} {
		store := first.Stores[i]
		if status, page := d.get(store.ShopURL+"/products", ""); status != http.StatusOK || !strings.Contains(page, goods.word) {
			t.Errorf("%s/products answered %d, without %q", store.ShopURL, status, goods.word)
		}
		status, list := d.get(d.url+"/v1/products?limit=100", store.LiveSecret)
		if n := strings.Count(list, `"description_html"`); status != http.StatusOK || n != goods.number {
			t.Errorf("%s has %d products, and should have %d (%d)", store.ShopURL, n, goods.number, status)
		}
		if status, list := d.get(d.url+"/v1/products", store.TestSecret); status != http.StatusOK || strings.Contains(list, `"description_html"`) {
			t.Errorf("the sandbox of %s answered %d: %.200s", store.ShopURL, status, list)
		}
	}
	for arguments, words := range map[string]string{"store list --state closed": `no state "closed"`, "store suspend nobody --reason why": "no such store"} {
		d.beside(first, arguments, words)
	}
	if status, _ := d.get(d.url+"/v1/operator/stores", first.OperatorKey); status != http.StatusOK {
		t.Errorf("the operator's key is answered %d", status)
	}
	d.await("a picture is drawn", func() bool {
		status, list := d.get(d.url+"/v1/shop/products?limit=1", first.Stores[0].LivePublishable)
		picture := regexp.MustCompile(`http://[^"]*/800\.jpg`).FindString(list)
		if status != http.StatusOK || picture == "" {
			return false
		}
		status, _ = d.get(picture, "")
		return status == http.StatusOK
	})
	d.refused("dev", "running already")
	d.refused("reset", "running")

	order := d.readme()
	if !strings.Contains(order, `"payment_state" : "paid"`) {
		t.Fatalf("the README's first order came to:\n%s", order)
	}
	d.kill()
	d.dev()
	if again := d.ready(); again.Password != first.Password || again.Stores[1] != first.Stores[1] || again.OperatorKey != first.OperatorKey {
		t.Errorf("a restart tells other keys: %+v instead of %+v", again, first)
	}
	id := regexp.MustCompile(`ord_[0-9a-z]+`).FindString(order)
	if status, _ := d.get(d.url+"/v1/orders/"+id, first.Stores[0].LiveSecret); status != http.StatusOK {
		t.Errorf("the order did not outlast a kill: %d", status)
	}
	if n := len(descendants(t, d.process.PID())); n < 2 {
		t.Errorf("it runs with %d processes, without a Postgres and a Redis", n)
	}
	d.interrupt()
	if out, err := d.command("reset").CombinedOutput(); err != nil {
		t.Errorf("reset: %v\n%s", err, out)
	}
	if left, err := os.ReadDir(filepath.Join(d.folder, ".stoa")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reset left %v (%v)", left, err)
	}
}

// readme runs the README's first order as it stands there, but for the address.
func (d *developer) readme() string {
	d.t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		d.t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		script.Write(block[1])
	}
	if calls := strings.Count(script.String(), "curl "); calls != 5 {
		d.t.Errorf("the README promises five calls and makes %d", calls)
	}
	command := exec.Command("bash", "-eu", "-c", strings.ReplaceAll(script.String(), "http://localhost:8080", d.url))
	command.Dir, command.Env = d.folder, []string{"PATH=" + os.Getenv("PATH")}
	out, err := command.CombinedOutput()
	if err != nil {
		d.t.Fatalf("the README's calls: %v\n%s", err, out)
	}
	return string(out)
}
