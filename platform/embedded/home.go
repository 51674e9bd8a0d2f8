package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fallbackRoots are where data goes, newest preference first, when the directory that
// was asked for lies where the service's user may not go (a checkout under /root).
var fallbackRoots = []string{"/var/lib/stoa", "/var/tmp/stoa"}

// A home is the directory of one embedded service. What the program itself reads and
// writes (lock, password, port, log) is in dir; the service's own files are in data,
// which belongs to the user that it runs as.
type home struct {
	dir, data string
	account   *account // whom the service runs as; nil: as ourselves
	temporary bool
	locked    *os.File
}

// An account is the user that a service runs as when the program is root: Postgres
// refuses to be root, and nothing else needs to be.
type account struct {
	name     string
	uid, gid uint32
	groups   []uint32
}

// credential is how the kernel is told; nil for ourselves.
func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
}

// openHome makes and locks dir, or makes a temporary directory when dir is empty. New
// data is given to the first of the users runAs that exists.
func openHome(dir string, runAs ...string) (*home, error) {
	h := &home{dir: dir}
	var err error
	if dir == "" {
		h.temporary = true
		if h.dir, err = os.MkdirTemp(reachableTemp(), "stoa-"); err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
	}
	if h.dir, err = filepath.Abs(h.dir); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", dir, err)
	}
	if err = os.MkdirAll(h.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make %s: %w", h.dir, err)
	}
	if h.dir, err = filepath.EvalSymlinks(h.dir); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", dir, err)
	}
	if h.locked, err = lock(h.dir); err != nil {
		return nil, err
	}
	if err = h.settle(runAs); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// settle decides whom the service runs as and where its files lie, and makes that place.
func (h *home) settle(runAs []string) error {
	h.data = filepath.Join(h.dir, "data")
	remembered, err := os.ReadFile(h.path("location"))
	if err == nil {
		h.data = strings.TrimSpace(string(remembered))
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read where the data is: %w", err)
	}

	owner, exists := ownerOf(h.data)
	if os.Geteuid() != 0 {
		if exists && int(owner.uid) != os.Geteuid() {
			return fmt.Errorf("%s belongs to user %s: start as that user or as root, or clear it with make reset", h.data, owner.name)
		}
		return h.make()
	}
	if exists && owner.uid != 0 {
		h.account = owner
		return nil
	}
	if h.account, err = lookupAccount(runAs); err != nil {
		return err
	}
	if h.temporary {
		if err := os.Chmod(h.dir, 0o711); err != nil { //nolint:gosec // the service's user must pass through
			return fmt.Errorf("open %s to its service: %w", h.dir, err)
		}
	}
	if len(remembered) == 0 && !h.account.reaches(h.dir) {
		if h.data, err = fallbackFor(h.dir, h.account); err != nil {
			return err
		}
		if err := os.WriteFile(h.path("location"), []byte(h.data+"\n"), 0o600); err != nil {
			return fmt.Errorf("remember where the data is: %w", err)
		}
	}
	return h.make()
}

// make creates the data directory for the account.
func (h *home) make() error {
	if err := os.MkdirAll(h.data, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", h.data, err)
	}
	if h.account == nil {
		return nil
	}
	if err := os.Chown(h.data, int(h.account.uid), int(h.account.gid)); err != nil {
		return fmt.Errorf("give %s to user %s: %w", h.data, h.account.name, err)
	}
	return nil
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

// endOfLog is what the service said last.
func (h *home) endOfLog() string {
	b, _ := os.ReadFile(h.path("log")) // without it the error says the rest
	return lastLines(string(b), 8)
}

func (h *home) unlock() {
	if h.locked != nil {
		_ = h.locked.Close()
	}
}

// close lets go of the directory, and deletes it when it was temporary.
func (h *home) close() {
	if h.temporary {
		_ = os.RemoveAll(h.dir)
	}
	h.unlock()
}

// ownerOf is who owns an existing path.
func ownerOf(path string) (*account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, false
	}
	a := &account{name: strconv.Itoa(int(st.Uid)), uid: st.Uid, gid: st.Gid}
	if u, err := user.LookupId(a.name); err == nil {
		a.name = u.Username
	}
	return a, true
}

// lookupAccount finds the first of the named users that exists; none may be root.
func lookupAccount(names []string) (*account, error) {
	for _, n := range names {
		u, err := user.Lookup(n)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID != nil || errGID != nil || uid == 0 {
			continue
		}
		a := &account{name: n, uid: uint32(uid), gid: uint32(gid)}
		ids, _ := u.GroupIds() // without them the account is only a little weaker
		for _, id := range ids {
			if g, err := strconv.ParseUint(id, 10, 32); err == nil {
				a.groups = append(a.groups, uint32(g))
			}
		}
		return a, nil
	}
	return nil, fmt.Errorf("no user to run the service as (tried %s): a database is never run as root", strings.Join(names, ", "))
}

// reaches says whether the account may pass through every directory on the way to path.
func (a *account) reaches(path string) bool {
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		bit := os.FileMode(0o001)
		switch {
		case st.Uid == a.uid:
			bit = 0o100
		case st.Gid == a.gid || a.inGroup(st.Gid):
			bit = 0o010
		}
		if info.Mode().Perm()&bit == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func (a *account) inGroup(gid uint32) bool {
	for _, g := range a.groups {
		if g == gid {
			return true
		}
	}
	return false
}

// fallbackFor is a directory for the data of dir that the account can reach; the same
// one each time, so that nothing is lost when the note of it is.
func fallbackFor(dir string, a *account) (string, error) {
	sum := sha256.Sum256([]byte(dir))
	name := filepath.Base(dir) + "-" + hex.EncodeToString(sum[:6])
	var faults []error
	for _, root := range fallbackRoots {
		if err := os.MkdirAll(root, 0o755); err != nil {
			faults = append(faults, err)
			continue
		}
		if a.reaches(root) {
			return filepath.Join(root, name), nil
		}
		faults = append(faults, fmt.Errorf("%s is closed to user %s", root, a.name))
	}
	return "", fmt.Errorf("user %s cannot reach %s, nor another place for its data: %w", a.name, dir, errors.Join(faults...))
}

// reachableTemp is a directory for temporary files that every user can reach.
func reachableTemp() string {
	if os.Geteuid() != 0 {
		return os.TempDir()
	}
	anyone := &account{uid: ^uint32(0), gid: ^uint32(0)}
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if anyone.reaches(dir) {
			return dir
		}
	}
	return os.TempDir()
}
