// Package keeping keeps what the platform holds from being lost: backups of the databases
// by pgBackRest, archives of single stores, copies of the files and of the configuration;
// it restores stores beside the living ones, and tests by itself that backups can be
// restored. It also does the platform's other care: catalogues, keys, the forecast of when a
// cell is full.
//
// What may take longer than a job is a run: a row of a ledger in the control database,
// asked for by an operator or by a regular task, and taken up by a process that can do it.
// A process holds its run by a lease; when it dies, another takes the run up again.
package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Config is what is kept, and with what. DB, Runner, Stores and Log must be set.
type Config struct {
	DB     *postgres.DB
	Runner *migrations.Runner
	Stores *stores.Service
	Ring   *secrets.Ring
	Files  files.Store // the stores' files
	Log    *slog.Logger

	Program string // the version that runs

	// Databases are the addresses of the control database, under "control", and of the cells
	// by their names; Stanzas name pgBackRest's cluster of each.
	Databases map[string]secrets.Redacted
	Stanzas   map[string]string

	Repository *backups.Repository // nil where this process cannot reach it
	Scratch    string              // the folder where clusters are restored for a while

	Unreached error         // why there is no place for archives although one is configured
	Archives  files.Store   // where archives of stores and copies of files go; nil for nowhere
	Recipient age.Recipient // whom archives and copies are sealed to; nil leaves them open
	Identity  age.Identity  // who can read them again; nil where that is not this process
	Settings  func() []byte // the configuration as it is to be kept

	FullEvery, DifferentialEvery, StoresEvery, TestEvery time.Duration
	Keep                                                 time.Duration // archives and copies, at least

	CellBytes func(cell string) int64 // how large a cell's database may become; 0 where nobody said
}

// Keeper keeps the platform. It is safe for concurrent use.
type Keeper struct {
	Config
	Ledger
}

// New makes a keeper.
func New(c Config) *Keeper {
	if c.CellBytes == nil {
		c.CellBytes = func(string) int64 { return 0 }
	}
	return &Keeper{c, Ledger{c.DB}}
}

const (
	lease    = time.Minute
	beat     = 15 * time.Second
	lookFor  = 2 * time.Second
	attempts = 3 // of a run, when processes die over it
)

// Work does runs until ctx ends: one of clusters and one of archives at a time.
func (k *Keeper) Work(ctx context.Context) {
	var group sync.WaitGroup
	if k.Repository != nil {
		if err := k.sweep(); err != nil {
			k.Log.WarnContext(ctx, "what was restored for a while is left behind", "error", err)
		}
		if not, err := k.elsewhere(); err != nil {
			k.Log.ErrorContext(ctx, "no backups are made here", "error", err)
		} else {
			group.Go(func() { k.work(ctx, ofClusters, not) })
		}
	}
	if k.Archives != nil {
		group.Go(func() { k.work(ctx, ofArchives, elsewhere{}) })
	}
	group.Wait()
}

func (k *Keeper) work(ctx context.Context, kinds []Kind, not elsewhere) {
	host, _ := os.Hostname() // without it the ledger says less
	look := time.NewTicker(lookFor)
	defer look.Stop()
	for {
		run, err := k.take(ctx, kinds, host, not)
		if err == nil && run != nil {
			k.do(ctx, run)
			continue
		}
		if err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "the ledger of runs cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// outcome is what came of a run.
type outcome struct {
	bytes  int64
	detail any
}

// do does a run, holding it meanwhile, and writes down what came of it. One that is broken
// off by the end of the process is left to be taken up again.
func (k *Keeper) do(ctx context.Context, run *Run) {
	ctx = principal.With(ctx, principal.Principal{Kind: principal.System, Label: string(run.Kind)})
	var share atomic.Value
	share.Store(0.0)
	held, release := context.WithCancel(ctx)
	var holding sync.WaitGroup
	holding.Go(func() {
		for {
			select {
			case <-held.Done():
				return
			case <-time.After(beat):
			}
			if err := k.exec(held, holdRun, run.ID, lease, share.Load()); err != nil && held.Err() == nil {
				k.Log.WarnContext(ctx, "a run cannot be held", "run", run.ID, "error", err)
			}
		}
	})
	var came outcome
	var err error
	if run.Attempts > attempts {
		err = fmt.Errorf("given up: %d processes died over it", run.Attempts-1)
	} else {
		came, err = k.perform(ctx, run, func(s float64) { share.Store(min(max(s, 0), 1)) })
	}
	release()
	holding.Wait()
	if ctx.Err() != nil {
		_ = k.exec(context.WithoutCancel(ctx), `update keeping_runs set lease_until = now() where id = $1 and state = 'running'`, run.ID)
		return
	}
	state, fault := "succeeded", ""
	if err != nil {
		state, fault = "failed", err.Error()
		what := "a backup failed"
		switch run.Kind {
		case RestoreTest:
			what = "the restore test failed"
		case RestoreStore, LoadStore:
			what = "a restore of a store failed"
		}
		k.Log.ErrorContext(ctx, what, "kind", run.Kind, "subject", run.Subject, "run", run.ID, "error", err)
	}
	detail, encodeErr := json.Marshal(came.detail)
	if encodeErr != nil || came.detail == nil {
		detail = []byte(`{}`)
	}
	if err := k.exec(ctx, endRun, run.ID, state, fault, came.bytes, json.RawMessage(detail)); err != nil {
		k.Log.ErrorContext(ctx, "what came of a run is not written down", "run", run.ID, "error", err)
	}
}

func (k *Keeper) perform(ctx context.Context, run *Run, progress func(float64)) (outcome, error) {
	switch run.Kind {
	case Full, Differential, Incremental:
		made, err := k.Repository.Backup(ctx, run.Subject, backups.Type(run.Kind), progress)
		return outcome{made.Stored, made}, err
	case Files:
		return k.copyFiles(ctx, progress)
	case Store:
		return k.archiveStore(ctx, run)
	case RestoreTest:
		return k.testRestore(ctx, run.Subject, progress)
	case RestoreStore, LoadStore:
		return k.restoreBeside(ctx, run, progress)
	default:
		return outcome{}, fmt.Errorf("this program knows no run of the kind %q", run.Kind)
	}
}

// record is what the control database knows of a store, whatever its state.
func (k *Keeper) record(ctx context.Context, id string) (rec stores.Record, err error) {
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rec, err = k.Stores.GetTx(ctx, tx, id)
		return err
	})
	if err == nil && rec.Status == tenants.Purged {
		err = fmt.Errorf("store %s is purged", id)
	}
	return rec, err
}

// side is where a side of a store lies.
func side(rec *stores.Record, mode principal.Mode) (postgres.StoreRef, error) {
	ref := rec.Side(mode).Ref
	if ref.Schema == 0 {
		return ref, fmt.Errorf("store %s has no %s side", rec.ID, mode)
	}
	return ref, nil
}

// sealed is how keys of what is sealed end.
const sealed = ".age"

// put writes what fill produces under a key, sealed where there is somebody to seal it to;
// it gives the key that it has then.
func (k *Keeper) put(ctx context.Context, key string, fill func(io.Writer) error) (string, int64, error) {
	if k.Recipient != nil {
		key += sealed
	}
	contentType, _ := files.ContentType(key)
	in, out := io.Pipe()
	go func() {
		var to io.WriteCloser = out
		var err error
		if k.Recipient != nil {
			to, err = age.Encrypt(out, k.Recipient)
		}
		if err == nil {
			err = fill(to)
		}
		if err == nil && k.Recipient != nil {
			err = to.Close()
		}
		_ = out.CloseWithError(err) // of a pipe it never fails
	}()
	n, err := k.Archives.Put(ctx, key, in, contentType)
	_ = in.CloseWithError(errors.New("nobody reads on"))
	if err != nil {
		return key, n, fmt.Errorf("keep %s: %w", key, err)
	}
	return key, n, nil
}

// open reads what was kept under a key.
func (k *Keeper) open(ctx context.Context, key string) (io.Reader, io.Closer, error) {
	f, err := k.Archives.Open(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	if len(key) < len(sealed) || key[len(key)-len(sealed):] != sealed {
		return f, f, nil
	}
	if k.Identity == nil {
		return nil, nil, errors.Join(fmt.Errorf("%s is sealed: STOA_BACKUP_IDENTITY is needed to read it", key), f.Close())
	}
	plain, err := age.Decrypt(f, k.Identity)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", key, err), f.Close())
	}
	return plain, f, nil
}
