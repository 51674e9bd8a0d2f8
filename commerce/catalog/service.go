package catalog

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// ProductID names a product.
type ProductID string

// VariantID names a variant.
type VariantID string

// ImageID names a picture.
type ImageID string

// CategoryID names a category.
type CategoryID string

// CollectionID names a collection.
type CollectionID string

// Limits says what the store's plan allows.
type Limits interface {
	// Products is how many products a store may have; zero or less means as many as it
	// likes. It is asked within a transaction and must not wait for another.
	Products(ctx context.Context) int
}

// Unlimited are the limits of a store without any.
type Unlimited struct{}

// Products is no limit.
func (Unlimited) Products(context.Context) int { return 0 }

// Service changes the catalogue.
type Service struct {
	limits Limits
}

// New makes the service.
func New(limits Limits) *Service { return &Service{limits: limits} }

// violates says whether err is the violation of a constraint.
func violates(err error, constraint string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == constraint
}
