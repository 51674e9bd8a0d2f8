package child_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/child"
)

func TestStopTriesGentlyFirst(t *testing.T) {
	gentle, err := child.Start(exec.Command("sleep", "60"), child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if gentle.PID() <= 0 || gentle.Err() != nil {
		t.Errorf("while it runs: pid %d, %v", gentle.PID(), gentle.Err())
	}
	if err := gentle.Stop(child.Step{Signal: syscall.SIGTERM, Wait: 10 * time.Second}); err != nil {
		t.Errorf("one that obeys: %v", err)
	}
	select {
	case <-gentle.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if err := gentle.Err(); err == nil {
		t.Error("it was ended by a signal, and Err says nothing")
	}
	if err := gentle.Stop(child.Step{Signal: syscall.SIGTERM, Wait: time.Second}); err != nil {
		t.Errorf("stopping it again: %v", err)
	}

	ready := filepath.Join(t.TempDir(), "ready")
	deaf, err := child.Start(exec.Command("sh", "-c", `trap "" TERM; touch "$0"; while :; do sleep 0.05; done`, ready), child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := os.Stat(ready); err != nil; _, err = os.Stat(ready) {
		time.Sleep(5 * time.Millisecond)
	}
	if err := deaf.Stop(child.Step{Signal: syscall.SIGTERM, Wait: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("one that does not obey: %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := child.Run(ctx, exec.Command("sleep", "60"), child.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("answered %v", err)
	}
	if err := child.Run(context.Background(), exec.Command("/no/such/program"), child.Options{}); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("answered %v", err)
	}
}

func TestChildrenAreToldNothingTheyNeedNotKnow(t *testing.T) {
	t.Setenv("STOA_SECRET_KEYS", "k1:hidden")
	t.Setenv("PGPORT", "1")
	cmd := exec.Command("env")
	cmd.Env = []string{"GIVEN=yes"}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := child.Run(context.Background(), cmd, child.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "hidden") || strings.Contains(got, "PGPORT") || !strings.Contains(got, "GIVEN=yes") || !strings.Contains(got, "PATH=") {
		t.Errorf("the environment is %s", got)
	}
}

func TestLeftoversAreFoundByWhereTheyWork(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := child.Start(exec.Command("sleep", "60"), child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = elsewhere.Stop() }()
	cmd := exec.Command("sleep", "60")
	cmd.Dir = dir
	main, err := child.Start(cmd, child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := child.StopLeftovers(dir, main.PID()); err != nil {
		t.Fatal(err)
	}
	<-main.Done()
	if elsewhere.Err() != nil {
		t.Error("a process elsewhere was ended")
	}
	if err := child.StopLeftovers(dir, 0); err != nil {
		t.Errorf("with nothing left: %v", err)
	}
}
