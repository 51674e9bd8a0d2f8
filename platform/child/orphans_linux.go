package child

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endOrphan is what a Sweeper does to the process before it waits for its end:
// nothing, for the kernel has already told it.
const endOrphan = ""

func dieWithUs(attr *syscall.SysProcAttr, signal syscall.Signal) {
	attr.Pdeathsig = signal
}

// processesIn are the processes whose working directory is dir or lies in it. Both
// Postgres and Redis move into their data directory, and so do their children.
func processesIn(dir string, _ int) []int {
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil
	}
	var pids []int
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err != nil || cwd != dir && !strings.HasPrefix(cwd, dir+"/") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}
