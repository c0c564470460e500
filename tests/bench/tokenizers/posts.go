package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

// sentencesPerPost is how many lines of the corpus a post has at most; a post is then about as
// long as one of Reddit's, 50 to 200 words.
const sentencesPerPost = 24

// readPosts makes n different posts of the lines of a corpus.
func readPosts(path string, n int) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	rng := rand.New(rand.NewPCG(2025, 11))
	posts := make([]string, n)
	for i := range posts {
		parts := []string{fmt.Sprintf("Post %d:", i)}
		for range 4 + rng.IntN(sentencesPerPost-4) {
			parts = append(parts, lines[rng.IntN(len(lines))])
		}
		posts[i] = strings.Join(parts, " ")
	}
	return posts, nil
}
