package rehearsal

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Confined looks, from outside, at what the kernel grants the program in a container, by its
// process, and fails the test when that is more than nothing.
func Confined(t testing.TB, pid int) {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		said[name] = strings.Join(strings.Fields(value), " ")
	}
	for name, want := range map[string]string{
		"Uid": "65532 65532 65532 65532", "Gid": "65532 65532 65532 65532", "NoNewPrivs": "1",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapBnd": "0000000000000000",
	} {
		if said[name] != want {
			t.Errorf("%s of process %d is %q, want %q", name, pid, said[name], want)
		}
	}
	var root syscall.Statfs_t
	if err := syscall.Statfs(filepath.Join(proc, "root"), &root); err != nil {
		t.Fatal(err)
	}
	if root.Flags&syscall.MS_RDONLY == 0 {
		t.Errorf("the root of process %d can be written to", pid)
	}
}
