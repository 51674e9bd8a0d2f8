package child

import (
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// StopLeftovers ends the processes that a killed program left running in dir. The main
// one, if known, is asked first, so that it can end its own in order.
func StopLeftovers(dir string, main int) error {
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
		Step
	}{
		{ask, Step{syscall.SIGINT, 10 * time.Second}},
		{left, Step{syscall.SIGQUIT, 3 * time.Second}},
		{left, Step{syscall.SIGKILL, 5 * time.Second}},
	} {
		for _, pid := range s.pids {
			_ = syscall.Kill(pid, s.Signal)
		}
		for deadline := time.Now().Add(s.Wait); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if left = processesIn(dir, main); len(left) == 0 {
				return nil
			}
		}
	}
	return fmt.Errorf("processes %v of an earlier start still run in %s and cannot be ended", left, dir)
}

// A Sweeper deletes a temporary directory when we are gone, however we went. It is a
// shell that waits for the end of its standard input, which only we hold open.
type Sweeper struct{ hold io.Closer }

// SweepAfter deletes dir once we and the process pid have ended.
func SweepAfter(dir string, pid int) (*Sweeper, error) {
	const script = `read -r _ || true; ` + endOrphan + ` n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done; rm -rf "$2"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", strconv.Itoa(pid), dir)
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
	return &Sweeper{hold: in}, nil
}

// Release lets the sweeper do its work now. A nil Sweeper has none.
func (s *Sweeper) Release() {
	if s != nil {
		_ = s.hold.Close()
	}
}
