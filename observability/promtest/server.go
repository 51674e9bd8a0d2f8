package promtest

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a process that runs until the test ends.
type Server struct {
	command *exec.Cmd
	output  *output
	ended   chan struct{}
}

// serve starts a program that is in the path.
func serve(t testing.TB, name string, args ...string) *Server {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("promtest needs the program %s (scripts/install-deps installs it): %v", name, err)
	}
	s := &Server{command: exec.Command(program, args...), output: &output{}, ended: make(chan struct{})}
	s.command.Stdout, s.command.Stderr = s.output, s.output
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := s.command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(s.ended)
		_ = s.command.Wait() // it is ended by a signal
	}()
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop %s: %v", name, err)
		}
	})
	return s
}

// Stop asks the process to end, and makes it when it does not. One that has ended is well.
func (s *Server) Stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(15 * time.Second):
	}
	if err := s.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended
	return nil
}

// answers waits until the process answers a GET with 200.
func (s *Server) answers(t testing.TB, address string) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get(address); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-s.ended:
			t.Fatalf("%s ended:\n%s", s.command.Path, s.output)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer at %s:\n%s", s.command.Path, address, s.output)
		}
	}
}

// output is what a process says; it may be read while the process runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String implements fmt.Stringer.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// PID is the process's number.
func (s *Server) PID() int { return s.command.Process.Pid }
