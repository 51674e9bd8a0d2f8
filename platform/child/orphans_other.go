//go:build unix && !linux

package child

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// endOrphan is what a Sweeper does to the process before it waits for its end: it asks
// for it, because this kernel tells no child of its parent's death.
const endOrphan = `kill -INT "$1" 2>/dev/null;`

// dieWithUs does nothing here: what a kill leaves running is ended by the next start.
func dieWithUs(*syscall.SysProcAttr, syscall.Signal) {}

// processesIn is the process main, if it still is a service of ours in dir.
func processesIn(dir string, main int) []int {
	if main <= 0 {
		return nil
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(main)).Output()
	if err != nil || !strings.Contains(string(out), dir) {
		return nil
	}
	return []int{main}
}
