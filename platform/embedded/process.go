package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A process is a child that ends with us.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of its end; valid once done is closed
}

// launch starts cmd as the account, in a process group of its own (so that Ctrl-C
// reaches the program alone, which then ends its services in order). When we die, the
// kernel sends it the signal onParentDeath.
func launch(cmd *exec.Cmd, as *account, onParentDeath syscall.Signal) (*process, error) {
	cmd.Env = cleanEnvironment(cmd.Env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid, Groups: as.groups}
	}
	dieWithParent(cmd.SysProcAttr, onParentDeath)

	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel watches the thread that forked, not the process: were this thread
		// to end, the child would be told that its parent died.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		if as != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL)) {
			return nil, fmt.Errorf("start %s as user %s (is this a container that maps a single user?): %w", cmd.Path, as.name, err)
		}
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run runs cmd to its end, or kills it when ctx ends first.
func run(ctx context.Context, cmd *exec.Cmd, as *account) error {
	p, err := launch(cmd, as, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-p.done
		return ctx.Err()
	}
}

// A step of ending a process: the signal, and how long it may take to work.
type step struct {
	signal syscall.Signal
	wait   time.Duration
}

// stop sends the signals one after the other until the process has ended. The error
// says that it had to be killed.
func (p *process) stop(steps ...step) error {
	for _, s := range append(steps, step{syscall.SIGKILL, 10 * time.Second}) {
		_ = p.cmd.Process.Signal(s.signal)
		select {
		case <-p.done:
			if s.signal == syscall.SIGKILL {
				return fmt.Errorf("%s did not stop and was killed", p.cmd.Path)
			}
			return nil
		case <-time.After(s.wait):
		}
	}
	return fmt.Errorf("%s could not be stopped", p.cmd.Path)
}

// cleanEnvironment is what a service is given: enough to find its libraries, nothing
// that configures it behind our back (PGPORT, PGDATA, LC_ALL …) and none of our secrets.
func cleanEnvironment(extra []string) []string {
	env := []string{"LANG=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, extra...)
}

// stopLeftovers ends the processes that a killed program left running in dir. The main
// one, if known, is asked first, so that it can end its own in order.
func stopLeftovers(dir string, main int) error {
	left := processesIn(dir, main)
	if len(left) == 0 {
		return nil
	}
	ask := left
	if slices.Contains(left, main) {
		ask = []int{main}
	}
	for _, s := range []struct {
		pids []int
		step
	}{
		{ask, step{syscall.SIGINT, 10 * time.Second}},
		{left, step{syscall.SIGQUIT, 3 * time.Second}},
		{left, step{syscall.SIGKILL, 5 * time.Second}},
	} {
		for _, pid := range s.pids {
			_ = syscall.Kill(pid, s.signal)
		}
		for deadline := time.Now().Add(s.wait); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if left = processesIn(dir, main); len(left) == 0 {
				return nil
			}
		}
	}
	return fmt.Errorf("processes %v of an earlier start still run in %s and cannot be ended", left, dir)
}

// A sweeper deletes a temporary directory when we are gone, however we went. It is a
// shell that waits for the end of its standard input, which only we hold open.
type sweeper struct{ hold io.Closer }

// sweepAfter deletes dir once we and the process pid have ended.
func sweepAfter(dir string, pid int) (*sweeper, error) {
	const script = `read -r _ || true; ` + endOrphan + ` n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done; rm -rf "$2"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", fmt.Sprint(pid), dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Dir = "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("watch over %s: %w", dir, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("watch over %s: %w", dir, err)
	}
	go func() { _ = cmd.Wait() }()
	return &sweeper{hold: in}, nil
}

func (s *sweeper) release() {
	if s != nil {
		_ = s.hold.Close()
	}
}

// addressInUse says whether a service's log tells of a port that was taken between our
// choosing it and the service's binding it.
func addressInUse(log string) bool {
	return strings.Contains(log, "Address already in use") || strings.Contains(log, "address already in use")
}
