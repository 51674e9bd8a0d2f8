// Package embedded runs a Postgres and a Redis of our own beside the program, for
// development and for tests, so that neither needs anything set up beforehand.
//
// It uses what the machine has installed; without a Postgres it downloads one, and
// without a Redis it takes one written in Go. What it starts ends with the program,
// even when the program is killed, and what an earlier kill left behind is cleared
// away by the next start. It is not for production, which the configuration refuses.
package embedded

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/stoacommerce/stoa/platform/child"
)

// ErrInUse is wrapped by the error of a start in a directory that another running
// process uses.
var ErrInUse = errors.New("in use by another process")

// Remove ends what an earlier, killed process may have left running in dir and
// deletes dir with everything in it, wherever the data itself had to be put. A
// directory that does not exist is no error; one in use is (ErrInUse).
func Remove(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	h, err := openHome(dir, "nobody")
	if err != nil {
		return err
	}
	defer h.unlock()
	if err := child.StopLeftovers(h.data, mainProcess(h)); err != nil {
		return err
	}
	if err := os.RemoveAll(h.data); err != nil {
		return fmt.Errorf("remove %s: %w", h.data, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return nil
}

// lock takes the directory for this process until unlock. The kernel lets go of it
// when the process dies, so that a stale file never keeps the next one out.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 20)
		n, _ := f.Read(holder)
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w (%s)", dir, ErrInUse, bytes.TrimSpace(holder[:n]))
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte("pid "+strconv.Itoa(os.Getpid())), 0)
	return f, nil
}

// choosePort prefers the port of the last start, kept in file, so that addresses
// written down stay right; any free one otherwise.
func choosePort(wanted int, file string) (int, error) {
	if wanted != 0 {
		return wanted, nil
	}
	if file != "" {
		if b, err := os.ReadFile(file); err == nil {
			if port, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && portFree(port) {
				return port, nil
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func portFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// keptSecret is the random password in file, made when there is none yet.
func keptSecret(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err == nil && len(bytes.TrimSpace(b)) > 0 {
		return string(bytes.TrimSpace(b)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read password: %w", err)
	}
	secret := randomSecret()
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep password: %w", err)
	}
	return secret, nil
}

func randomSecret() string {
	random := make([]byte, 18)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(random)
}

// addressInUse says whether a service's log tells of a port that was taken between our
// choosing it and the service's binding it.
func addressInUse(log string) bool {
	return strings.Contains(log, "Address already in use") || strings.Contains(log, "address already in use")
}

// lastLines is the end of a text, for the error of a start that failed.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
