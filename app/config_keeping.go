package app

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/stoacommerce/stoa/platform/secrets"
)

const groupKeeping = "Backups"

// BackupConfig is how the platform is kept from being lost.
type BackupConfig struct {
	Repository string           // pgBackRest's configuration file, absolute; empty where this process cannot reach it
	Stanzas    string           // as it was given
	Dir        string           // archives and copies, absolute; empty for none
	URL        secrets.Redacted // of a bucket in its place
	Recipient  *age.X25519Recipient
	Identity   secrets.Redacted
	Scratch    string // absolute

	FullEvery, DifferentialEvery, StoresEvery, TestEvery time.Duration
	Keep                                                 time.Duration
}

// keepingOptions are the part of the table that tells of backups.
var keepingOptions = []option{
	{variable: "STOA_BACKUP_STANZAS", group: groupKeeping, form: "a stanza, such as stoa, or several, such as control=platform,main=cells",
		doc: "pgBackRest's stanza of the cluster that the databases lie in, or of each: of the control database under control, and of the cells by their names. Empty asks for no backups and watches none.",
		set: stanzas},
	{variable: "STOA_BACKUP_REPOSITORY", group: groupKeeping, form: "a file, such as /etc/stoa/pgbackrest.conf",
		doc: "pgBackRest's configuration. Set it where pgBackRest can make backups of the databases and restore them, as on their host: a worker there does what is due for the stanzas that stand in it.",
		set: folder(func(c *Config) *string { return &c.Backup.Repository })},
	{variable: "STOA_BACKUP_DIR", group: groupKeeping, form: "a folder",
		doc: "Where archives of single stores and copies of files and of the configuration go: best a folder of another machine. Empty keeps none, unless STOA_BACKUP_URL is set.",
		set: folder(func(c *Config) *string { return &c.Backup.Dir })},
	{variable: "STOA_BACKUP_URL", group: groupKeeping, form: "s3://access-key:secret@host/bucket/prefix?region=eu-central-1, or s3+http:// without TLS", secret: true,
		doc: "A bucket in place of the folder.",
		set: secretURL(func(c *Config) secretRef { return &c.Backup.URL }, "s3", "s3+http")},
	{variable: "STOA_BACKUP_RECIPIENT", group: groupKeeping, form: "age1… (stoa backup new-key makes one)",
		doc: "Whom archives and copies are sealed to. Empty leaves them open, and the configuration's secrets out.",
		set: optional(func(c *Config, text string) (err error) {
			if c.Backup.Recipient, err = age.ParseX25519Recipient(text); err != nil {
				return errors.New("is no public key of age")
			}
			return nil
		})},
	{variable: "STOA_BACKUP_IDENTITY", group: groupKeeping, form: "AGE-SECRET-KEY-1…", secret: true,
		doc: "The secret key to STOA_BACKUP_RECIPIENT. Only what restores needs it; it is best kept elsewhere.",
		set: optional(func(c *Config, text string) error {
			if _, err := age.ParseX25519Identity(text); err != nil {
				return errors.New("is no secret key of age")
			}
			c.Backup.Identity = secrets.Redact(text)
			return nil
		})},
	{variable: "STOA_BACKUP_SCRATCH", group: groupKeeping, form: "a folder",
		doc: "Where clusters are restored for a while, as large as the largest. The user postgres has to reach it when the program is root. Unless set: restored in STOA_DATA_DIR.",
		set: folder(func(c *Config) *string { return &c.Backup.Scratch })},
	{variable: "STOA_BACKUP_FULL_EVERY", group: groupKeeping, initial: "168h", form: "a duration from 1h to 2160h",
		doc: "How often each cluster is backed up in full.",
		set: duration(func(c *Config) *time.Duration { return &c.Backup.FullEvery }, time.Hour, 90*24*time.Hour)},
	{variable: "STOA_BACKUP_DIFFERENTIAL_EVERY", group: groupKeeping, initial: "24h", form: "a duration from 10m to 720h",
		doc: "How often what has changed since is backed up; files are copied as often.",
		set: duration(func(c *Config) *time.Duration { return &c.Backup.DifferentialEvery }, 10*time.Minute, 30*24*time.Hour)},
	{variable: "STOA_BACKUP_STORES_EVERY", group: groupKeeping, initial: "24h", form: "a duration from 10m to 720h",
		doc: "How often a store that was written to is archived.",
		set: duration(func(c *Config) *time.Duration { return &c.Backup.StoresEvery }, 10*time.Minute, 30*24*time.Hour)},
	{variable: "STOA_BACKUP_KEEP", group: groupKeeping, initial: "720h", form: "a duration from 24h to 87600h",
		doc: "For how long archives and copies are kept; the newest always. For how long backups of clusters are is pgBackRest's to know.",
		set: duration(func(c *Config) *time.Duration { return &c.Backup.Keep }, 24*time.Hour, 10*365*24*time.Hour)},
	{variable: "STOA_RESTORE_TEST_EVERY", group: groupKeeping, initial: "168h", form: "a duration from 1h to 2160h",
		doc: "How often restoring is tested.",
		set: duration(func(c *Config) *time.Duration { return &c.Backup.TestEvery }, time.Hour, 90*24*time.Hour)},
}

func stanzas(c *Config, text string) error {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		if name, stanza, several := strings.Cut(part, "="); several && (name == "" || stanza == "") || strings.ContainsAny(part, " \t/") {
			return fmt.Errorf("has a part that is no stanza (%q)", part)
		}
	}
	c.Backup.Stanzas = text
	return nil
}

// stanzasOf names the stanza of the control database and of each cell; nil for none.
func (c *Config) stanzasOf() (map[string]string, error) {
	if c.Backup.Stanzas == "" {
		return nil, nil
	}
	named := map[string]string{}
	for part := range strings.SplitSeq(c.Backup.Stanzas, ",") {
		if name, stanza, several := strings.Cut(part, "="); several {
			named[name] = stanza
		} else {
			named[""] = part
		}
	}
	of := map[string]string{}
	for _, name := range c.databaseNames() {
		of[name] = named[name]
		if of[name] == "" {
			of[name] = named[""]
		}
		if of[name] == "" {
			return nil, fmt.Errorf("names no stanza of %s", name)
		}
		delete(named, name)
	}
	delete(named, "")
	for name := range named {
		return nil, fmt.Errorf("names %s, which is neither control nor a cell", name)
	}
	return of, nil
}

// cellBound is how large the database of a cell may become; unless it is named, of each.
type cellBound struct {
	cell  string
	named bool
	bytes int64
}

func parseCellBounds(text string) (bounds []cellBound, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		var b cellBound
		amount := part
		if cell, of, named := strings.Cut(part, "="); named {
			b.cell, b.named, amount = cell, true, of
		}
		if b.bytes, err = parseBytes(amount); err != nil {
			return nil, err
		}
		bounds = append(bounds, b)
	}
	return bounds, nil
}

func cellBytes(c *Config, text string) error {
	if _, err := parseCellBounds(text); err != nil {
		return err
	}
	c.Database.CellMaxBytes = text
	return nil
}

// cellBytesOf is how large a cell's database may become; 0 where nobody said.
func (c *Config) cellBytesOf(cell string) (most int64) {
	bounds, _ := parseCellBounds(c.Database.CellMaxBytes) // it was read before
	for _, b := range bounds {
		if b.named && b.cell == cell || !b.named && most == 0 {
			most = b.bytes
		}
	}
	return most
}

// parseBytes reads a size of a database, from 1GB to 1000TB.
func parseBytes(text string) (int64, error) {
	for unit, n := range map[string]int64{"GB": 1 << 30, "TB": 1 << 40} {
		if digits, found := strings.CutSuffix(strings.ToUpper(text), unit); found {
			v, err := strconv.ParseInt(digits, 10, 32)
			if err != nil {
				return 0, fmt.Errorf("has a part that is no size (%q)", text)
			}
			if v < 1 || v > 1000<<40/n {
				return 0, fmt.Errorf("has a part that is out of range (%q)", text)
			}
			return v * n, nil
		}
	}
	return 0, fmt.Errorf("has a part that is no size in GB or TB (%q)", text)
}

// databaseNames are "control" and the names of the cells.
func (c *Config) databaseNames() []string {
	names := []string{"control"}
	for _, cell := range c.Database.Cells {
		names = append(names, cell.Name)
	}
	return names
}
