package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// Sealer keeps the logins' passwords secret at rest; platform/secrets is one.
type Sealer interface {
	Seal(plain []byte, binding string) ([]byte, error)
	Open(sealed []byte, binding string) ([]byte, error)
}

// Config says where the databases are.
type Config struct {
	Control    string            // URL of the control database, as its owner
	Cells      map[string]string // URL of each cell by name, as a role that may create roles
	LoginConns int               // connections of each of a cell's logins; 0 means 8
	AdminConns int               // connections to the control database and to each cell's own tables; 0 means 8
	Sealer     Sealer
	// Tracer makes what sees every statement of one door ("control", "cell" or "store")
	// besides the counter; may be nil.
	Tracer    func(door string) pgx.QueryTracer
	Committed func(tx *Tx) // called after each committed transaction of a store; may be nil
}

func (c Config) tracer(door string) pgx.QueryTracer {
	if c.Tracer == nil {
		return nil
	}
	return c.Tracer(door)
}

// DB holds the pools of the control database and of the cells.
type DB struct {
	config  Config
	control *pool
	cells   map[string]*pool

	onEnter func(context.Context, StoreRef) error
	within  *Tx // that everything in its store is a part of; nil for none

	mu     sync.RWMutex
	logins map[login]*pool
}

type login struct {
	cell   string
	number int
}

var cellName = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)

// Open prepares the pools. It connects to nothing: a database that is down is met by
// whoever needs it.
func Open(config Config) (*DB, error) {
	if config.LoginConns == 0 {
		config.LoginConns = 8
	}
	if config.AdminConns == 0 {
		config.AdminConns = 8
	}
	db := &DB{config: config, cells: map[string]*pool{}, logins: map[login]*pool{}}
	var err error
	if db.control, err = newPool("control", config.Control, config.AdminConns, config.tracer("control")); err != nil {
		return nil, err
	}
	for name, url := range config.Cells {
		if !cellName.MatchString(name) {
			return nil, fmt.Errorf("cell %q: a cell's name is 1 to 16 lower-case letters and digits, the first a letter", name)
		}
		if db.cells[name], err = newPool("cell "+name, url, config.AdminConns, config.tracer("cell")); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// OnEnter has check asked before each time a store is entered; its error keeps the door
// shut. It is set before the first store is entered.
func (db *DB) OnEnter(check func(context.Context, StoreRef) error) { db.onEnter = check }

// Close ends all connections.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	errs := []error{db.control.sql.Close()}
	for _, p := range db.cells {
		errs = append(errs, p.sql.Close())
	}
	for _, p := range db.logins {
		errs = append(errs, p.sql.Close())
	}
	return errors.Join(errs...)
}

// Cells are the names of the configured cells, sorted.
func (db *DB) Cells() []string {
	names := make([]string, 0, len(db.cells))
	for name := range db.cells {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Ping says whether the control database answers.
func (db *DB) Ping(ctx context.Context) error { return db.control.sql.PingContext(ctx) }

// PingCell says whether a cell answers.
func (db *DB) PingCell(ctx context.Context, name string) error {
	p, err := db.cell(name)
	if err != nil {
		return err
	}
	return p.sql.PingContext(ctx)
}

// CellConfig is the connection configuration of a cell's own tables, for libraries that
// bring their own pool.
func (db *DB) CellConfig(name string) (*pgx.ConnConfig, error) {
	url, ok := db.config.Cells[name]
	if !ok {
		return nil, fmt.Errorf("cell %q is not configured", name)
	}
	return parse(url, db.config.tracer("cell"))
}

// Stats are the pools' figures, by pool, for metrics: all logins of a cell are added up.
func (db *DB) Stats() map[string]sql.DBStats {
	stats := map[string]sql.DBStats{"control": db.control.sql.Stats()}
	for name, p := range db.cells {
		stats["cell:"+name] = p.sql.Stats()
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	for key, p := range db.logins {
		name, s := "stores:"+key.cell, p.sql.Stats()
		sum := stats[name]
		sum.MaxOpenConnections += s.MaxOpenConnections
		sum.OpenConnections += s.OpenConnections
		sum.InUse += s.InUse
		sum.Idle += s.Idle
		sum.WaitCount += s.WaitCount
		sum.WaitDuration += s.WaitDuration
		stats[name] = sum
	}
	return stats
}

// ControlConfig is the connection configuration of the control database, likewise.
func (db *DB) ControlConfig() (*pgx.ConnConfig, error) {
	return parse(db.config.Control, db.config.tracer("control"))
}

// storePool is the store of the context and the pool of the login that may enter it.
func (db *DB) storePool(ctx context.Context) (StoreRef, *pool, error) {
	ref, ok := StoreFrom(ctx)
	if !ok {
		return StoreRef{}, nil, ErrNoStore
	}
	if db.onEnter != nil {
		if err := db.onEnter(ctx, ref); err != nil {
			return StoreRef{}, nil, translate(ctx, err)
		}
	}
	p, err := db.login(ctx, ref.Cell, ref.Login)
	return ref, p, err
}

func (db *DB) cell(name string) (*pool, error) {
	p, ok := db.cells[name]
	if !ok {
		return nil, unavailable(fmt.Errorf("cell %q is not configured", name))
	}
	return p, nil
}

// login is the pool of one of a cell's logins, made when first needed.
func (db *DB) login(ctx context.Context, cell string, number int) (*pool, error) {
	key := login{cell, number}
	db.mu.RLock()
	p := db.logins[key]
	db.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	url, ok := db.config.Cells[cell]
	if !ok {
		return nil, unavailable(fmt.Errorf("cell %q is not configured", cell))
	}
	config, err := parse(url, db.config.tracer("store"))
	if err != nil {
		return nil, err
	}
	config.User = LoginName(cell, number)
	if config.Password, err = db.LoginPassword(ctx, cell, number); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if p := db.logins[key]; p != nil {
		return p, nil
	}
	p = openPool(config.User, config, db.config.LoginConns)
	p.committed = db.config.Committed
	db.logins[key] = p
	return p, nil
}

// LoginBinding is the binding that the password of a login is sealed with; the login is
// named by its cell and its number, as in "main/3".
func LoginBinding(login string) string { return "platform/cell_logins.password_sealed/" + login }

func loginBinding(cell string, number int) string {
	return LoginBinding(fmt.Sprintf("%s/%d", cell, number))
}

// LoginPassword is the password of a cell's login.
func (db *DB) LoginPassword(ctx context.Context, cell string, number int) (string, error) {
	var sealed []byte
	err := db.InControl(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.QueryRow(ctx, `select password_sealed from cell_logins where cell = $1 and login = $2`, cell, number).Scan(&sealed)
	})
	if err != nil {
		return "", fmt.Errorf("password of login %d of cell %s: %w", number, cell, err)
	}
	plain, err := db.config.Sealer.Open(sealed, loginBinding(cell, number))
	if err != nil {
		return "", fmt.Errorf("password of login %d of cell %s: %w", number, cell, err)
	}
	return string(plain), nil
}

// NewLoginPassword makes a password for a cell's login, in clear and sealed.
func (db *DB) NewLoginPassword(cell string, number int) (plain string, sealed []byte, err error) {
	random := make([]byte, 24)
	rand.Read(random) // never fails
	plain = base64.RawURLEncoding.EncodeToString(random)
	sealed, err = db.config.Sealer.Seal([]byte(plain), loginBinding(cell, number))
	return plain, sealed, err
}

// pool is a bounded set of connections of one login to one database.
type pool struct {
	name string
	sql  *sql.DB
	bun  *bun.DB

	committed func(*Tx)
}

func newPool(name, url string, conns int, tracer pgx.QueryTracer) (*pool, error) {
	config, err := parse(url, tracer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return openPool(name, config, conns), nil
}

func openPool(name string, config *pgx.ConnConfig, conns int) *pool {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	// A connection keeps memory for every store it has touched: a short life bounds it.
	db.SetConnMaxLifetime(10 * time.Minute)
	db.SetConnMaxIdleTime(2 * time.Minute)
	return &pool{name: name, sql: db, bun: bun.NewDB(db, pgdialect.New())}
}

// parse reads a URL. Statements are described once and sent unnamed: nothing stays on
// the server between transactions, as a pooler in between requires and as stores that
// share a connection want it, whose plans would be made anew after each change of
// schema anyhow.
func parse(url string, tracer pgx.QueryTracer) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	config.StatementCacheCapacity = 0
	config.DescriptionCacheCapacity = 512
	config.ConnectTimeout = 3 * time.Second
	config.Tracer = newTracer(tracer)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "stoa"
	}
	return config, nil
}
