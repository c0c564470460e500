package function

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/supermax-hpo/supermax/lambdas/bundle"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// The environment of a function.
const (
	tableVariable   = "SUPERMAX_TABLE"
	resultsVariable = "SUPERMAX_RESULTS"
	dataVariable    = "SUPERMAX_DATA"
)

var (
	tableForm  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
	bucketForm = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// A Need opens something that a service works with. What no function of a program needs is
// not linked into it, so that its cold start stays short.
type Need func(ctx context.Context, getenv func(string) string, s *handler.Service) error

// Results opens the bucket of metrics, checkpoints and exports.
func Results(ctx context.Context, getenv func(string) string, s *handler.Service) error {
	var err error
	s.Objects, err = openBucket(ctx, getenv, resultsVariable)
	return err
}

// Data opens the bucket of definitions, corpora and backbones, and the studies that lie
// beside the program for whoever has uploaded none.
func Data(ctx context.Context, getenv func(string) string, s *handler.Service) error {
	var err error
	if s.Definitions, err = openBucket(ctx, getenv, dataVariable); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the bundled studies: %w", err)
	}
	s.Bundle = bundle.Folder{Dir: filepath.Join(filepath.Dir(program), "bundle"), Data: s.Definitions}
	return nil
}

func openBucket(ctx context.Context, getenv func(string) string, name string) (*objects.Bucket, error) {
	url, err := variable(getenv, name, bucketForm, "s3:// and a bucket's name")
	if err != nil {
		return nil, err
	}
	b, err := objects.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// variable reads a variable of the environment.
func variable(getenv func(string) string, name string, form *regexp.Regexp, allowed string) (string, error) {
	value := getenv(name)
	switch {
	case value == "":
		return "", fmt.Errorf("%s is not set; it must be %s", name, allowed)
	case !form.MatchString(value):
		return "", fmt.Errorf("%s is %.80q; allowed: %s", name, value, allowed)
	}
	return value, nil
}
