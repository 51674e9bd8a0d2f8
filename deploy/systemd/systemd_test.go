package systemd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// What the guide lays down is a configuration for production, and says nothing in vain.
func TestTheSettingsAreAConfiguration(t *testing.T) {
	key, err := secrets.NewKey("first")
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{
		"database_url": "postgres://stoa:0d0f2c6b@127.0.0.1:5432/stoa", "redis_url": "redis://:77aa01ff@127.0.0.1:6379/0",
		"secret_keys": key.Reveal(), "smtp_url": "smtp://stoa:5e1f00aa@mail.shops.example:587",
	}
	dir := t.TempDir()
	for name, secret := range held {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	setting := regexp.MustCompile(`\bSTOA_[A-Z_]+=\S*`)
	for _, unit := range []string{"stoa@.service", "stoa-worker.service", "stoa-backup.service", "stoa-migrate.service"} {
		text := read(t, unit)
		var env []string
		for line := range strings.Lines(read(t, "stoa.env")) {
			line = strings.TrimSpace(line)
			if after, backups := strings.CutPrefix(line, "#STOA_BACKUP_"); backups {
				line = "STOA_BACKUP_" + after // as the guide uncomments it
			}
			if line != "" && !strings.HasPrefix(line, "#") {
				name, value, _ := strings.Cut(line, "=")
				env = append(env, name+"="+strings.Trim(strings.ReplaceAll(value, "/etc/stoa/secrets", dir), `"`))
			}
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "Environment=") {
				env = append(env, setting.FindAllString(strings.ReplaceAll(line, "%i", "1"), -1)...)
			}
		}
		config, err := app.LoadConfig(env, nil)
		if err != nil || len(config.Warnings) > 0 {
			t.Errorf("%s: %v %q", unit, err, config.Warnings)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
