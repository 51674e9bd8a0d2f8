package apptest

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/platform/child"
)

// Build builds the program as it is delivered, but for flags of go build that are given, and
// gives the binary's path.
func Build(t testing.TB, flags ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stoa")
	arguments := append(append([]string{"build"}, flags...), "-o", binary, "github.com/stoacommerce/stoa/cmd/stoa")
	out, err := exec.Command("go", arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return binary
}

// Process is a program in a process of its own.
type Process struct {
	*Program
	binary  string
	process *child.Process
}

// Spawn runs a binary of the program until the test ends: serving, and working on jobs
// unless change says otherwise.
func Spawn(t testing.TB, binary string, change Env) *Process {
	t.Helper()
	p := &Process{Program: newProgram(t, NewEnv(t, change)), binary: binary}
	if p.Env["STOA_WITH_WORKER"] == "" {
		p.Env["STOA_WITH_WORKER"] = "true"
	}
	p.Migrate()
	t.Cleanup(p.Kill)
	p.Restart()
	return p
}

// First runs a binary of the program with a command, serve or work, on a database that is
// empty, and does not wait for anything.
func First(t testing.TB, binary, command string, change Env) *Process {
	t.Helper()
	p := &Process{Program: newProgram(t, NewEnv(t, change)), binary: binary}
	t.Cleanup(p.Kill)
	p.launch(command)
	return p
}

// Migrate migrates the program's databases beside it.
func (p *Program) Migrate() {
	p.t.Helper()
	if err := app.Migrate(context.Background(), p.Config, build, app.Terminal{Out: io.Discard, Err: io.Discard}); err != nil {
		p.t.Fatal(err)
	}
}

// Ended says whether the process has come to its end.
func (p *Process) Ended() bool {
	select {
	case <-p.process.Done():
		return true
	default:
		return false
	}
}

// Kill ends the process without a word.
func (p *Process) Kill() {
	if p.process != nil {
		_ = p.process.Stop() // killed, and so with an error
		p.process = nil
	}
}

// PID is the process's number.
func (p *Process) PID() int { return p.process.PID() }

// Terminate asks the process to end in order, and gives how it did; one that does not is
// killed.
func (p *Process) Terminate(within time.Duration) error {
	if err := p.process.Stop(child.Step{Signal: syscall.SIGTERM, Wait: within}); err != nil {
		return err
	}
	return p.process.Err()
}

// Replace starts another binary in place of the process, and waits until it answers.
func (p *Process) Replace(binary string) {
	p.t.Helper()
	p.binary = binary
	p.Restart()
}

// Restart starts the process again, and waits until it answers.
func (p *Process) Restart() {
	p.t.Helper()
	p.Kill()
	p.launch("serve")
	Eventually(p.t, 30*time.Second, "the program answers", func() bool {
		if p.Ended() {
			p.t.Fatalf("the program ended: %v", p.process.Err())
		}
		return p.Answers()
	})
}

func (p *Process) launch(name string) {
	p.t.Helper()
	command := exec.Command(p.binary, name)
	command.Env, command.Stdout, command.Stderr = p.Env.List(), p.log, p.log
	var err error
	if p.process, err = child.Start(command, child.Options{}); err != nil {
		p.t.Fatal(err)
	}
}

// Answers says whether the program answers requests.
func (p *Program) Answers() bool {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get(p.URL + "/v1/plans")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
