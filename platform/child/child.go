// Package child starts processes that end with us: when we stop them in order, and by the
// kernel's hand when we are killed. Where the kernel does not do so, what a kill leaves
// running is found and ended by the next start.
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Options say how a process is started.
type Options struct {
	// As is the user that it runs as; ourselves when nil.
	As *syscall.Credential
	// OnOurDeath is the signal that the kernel sends it when we die; SIGKILL unless set.
	OnOurDeath syscall.Signal
}

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of its end; valid once done is closed
}

// Start starts cmd in a process group of its own, so that Ctrl-C reaches the program
// alone, which then ends its children in order. Its environment is cmd.Env and the
// little that a program needs to find its libraries: nothing that would configure it
// behind our back (PGPORT, LC_ALL …), and none of our secrets.
func Start(cmd *exec.Cmd, o Options) (*Process, error) {
	if o.OnOurDeath == 0 {
		o.OnOurDeath = syscall.SIGKILL
	}
	cmd.Env = append(environment(), cmd.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: o.As}
	dieWithUs(cmd.SysProcAttr, o.OnOurDeath)

	p := &Process{cmd: cmd, done: make(chan struct{})}
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
		if o.As != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL)) {
			return nil, fmt.Errorf("start %s as user %d (is this a container that maps a single user?): %w", cmd.Path, o.As.Uid, err)
		}
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// Run runs cmd to its end, or kills it when ctx ends first.
func Run(ctx context.Context, cmd *exec.Cmd, o Options) error {
	p, err := Start(cmd, o)
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

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended; Err then says how.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the process ended: nil while it runs, and when it ended well.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// A Step of ending a process: the signal, and how long it may take to work.
type Step struct {
	Signal syscall.Signal
	Wait   time.Duration
}

// Stop sends the signals one after the other until the process has ended, and at last
// kills it, which is an error.
func (p *Process) Stop(steps ...Step) error {
	for _, s := range append(steps, Step{syscall.SIGKILL, 10 * time.Second}) {
		_ = p.cmd.Process.Signal(s.Signal) // one that has ended cannot be signalled
		select {
		case <-p.done:
			if s.Signal == syscall.SIGKILL && len(steps) > 0 {
				return fmt.Errorf("%s did not stop and was killed", p.cmd.Path)
			}
			return nil
		case <-time.After(s.Wait):
		}
	}
	return fmt.Errorf("%s could not be stopped", p.cmd.Path)
}

// environment is what every child is given.
func environment() []string {
	env := []string{"LANG=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
