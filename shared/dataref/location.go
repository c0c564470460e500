package dataref

import (
	"fmt"
	"regexp"
	"strings"
)

// A Kind is what a location holds.
type Kind string

// The kinds; each is a folder of the data bucket.
const (
	Corpora   Kind = "corpora"
	Backbones Kind = "backbones"
)

var locationForm = regexp.MustCompile(`^([a-z0-9]+://.*)/(corpora|backbones)/([0-9a-f]{64})/?$`)

// IsURL reports whether a corpus's or backbone's place is in a bucket; else it is a folder.
func IsURL(place string) bool { return strings.Contains(place, "://") }

// location is a place in a bucket.
type location struct {
	bucket string // URL
	kind   Kind
	sum    string // hexadecimal SHA-256 of the manifest
}

func parseLocation(url string) (location, error) {
	m := locationForm.FindStringSubmatch(url)
	if m == nil {
		return location{}, fmt.Errorf("%.200q is no place of a corpus or backbone; allowed: <bucket>/corpora/<SHA-256>/ or <bucket>/backbones/<SHA-256>/", url)
	}
	return location{bucket: m[1], kind: Kind(m[2]), sum: m[3]}, nil
}

// url is the location as [Upload] returns it.
func (l location) url() string { return l.bucket + "/" + l.prefix() }

// prefix is what the location's keys in the bucket begin with.
func (l location) prefix() string { return string(l.kind) + "/" + l.sum + "/" }
