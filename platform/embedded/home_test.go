package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAccountReachesOnlyThroughOpenDirectories(t *testing.T) {
	open := filepath.Join(reachableTemp(), "stoa-reach-"+filepath.Base(t.TempDir())+t.Name())
	closed := filepath.Join(open, "closed")
	inner := filepath.Join(closed, "inner")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(open) })
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := &account{uid: 54321, gid: 54321}
	owner := &account{uid: uint32(os.Getuid()), gid: 54321}
	if !stranger.reaches(open) || stranger.reaches(inner) || stranger.reaches(filepath.Join(open, "absent")) {
		t.Errorf("a stranger reaches open %v, closed %v", stranger.reaches(open), stranger.reaches(inner))
	}
	if !owner.reaches(inner) {
		t.Error("the owner does not reach its own")
	}
	if err := os.Chmod(closed, 0o710); err != nil {
		t.Fatal(err)
	}
	member := &account{uid: 54321, gid: 54321, groups: []uint32{uint32(os.Getgid())}}
	if !member.reaches(inner) || stranger.reaches(inner) {
		t.Error("the directory's group is not told from others")
	}
}

// As root the service's user cannot enter a test's directory, as it could not enter a
// checkout under /root; without root the data simply lies in it.
func TestDataGoesWhereItsUserCanReachIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "postgres")
	p := startPostgresIn(t, PostgresOptions{Dir: dir, Fast: true})
	location, err := os.ReadFile(filepath.Join(dir, "location"))
	if os.Geteuid() != 0 {
		if !strings.HasPrefix(p.home.data, p.home.dir) || err == nil {
			t.Fatalf("the data is in %s, location %q", p.home.data, location)
		}
		return
	}
	if err != nil || strings.TrimSpace(string(location)) != p.home.data || strings.HasPrefix(p.home.data, dir) {
		t.Fatalf("the data is in %s, remembered as %q (%v)", p.home.data, location, err)
	}
	if !strings.HasPrefix(p.home.data, fallbackRoots[0]+"/postgres-") {
		t.Errorf("the data is in %s", p.home.data)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, p.home.data} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", path, err)
		}
	}
	if err := Remove(dir); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
}

func TestRootNeedsAUserToRunAs(t *testing.T) {
	if _, err := lookupAccount([]string{"no-such-user", "root"}); err == nil || !strings.Contains(err.Error(), "never run as root") {
		t.Fatalf("answered %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	p := startPostgresIn(t, PostgresOptions{User: "nobody", Fast: true})
	if owner, _ := ownerOf(p.home.data); owner == nil || owner.name != "nobody" {
		t.Errorf("the data belongs to %+v", owner)
	}
}
