// MinIO's client library for Go as a program, so that the tests can drive it as they drive other programs.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func main() {
	ctx := context.Background()
	token := os.Getenv("TOKEN")
	// set-up of minio-go
	client, err := minio.New(os.Getenv("HOST"), &minio.Options{
		Creds:        credentials.NewStaticV4(token, token, ""),
		BucketLookup: minio.BucketLookupPath,
		Region:       "us-east-1",
	})
	// end of the set-up
	check(err)
	switch arg(1) {
	case "put":
		_, err := client.FPutObject(ctx, arg(3), arg(4), arg(2), minio.PutObjectOptions{PartSize: 5 << 20})
		check(err)
	case "get":
		check(client.FGetObject(ctx, arg(2), arg(3), arg(4), minio.GetObjectOptions{}))
	case "list":
		for object := range client.ListObjects(ctx, arg(2), minio.ListObjectsOptions{Prefix: arg(3), Recursive: true, MaxKeys: 2}) {
			check(object.Err)
			fmt.Println(object.Key)
		}
	case "copy":
		_, err := client.CopyObject(ctx, minio.CopyDestOptions{Bucket: arg(4), Object: arg(5)}, minio.CopySrcOptions{Bucket: arg(2), Object: arg(3)})
		check(err)
	case "presign":
		link, err := client.PresignedGetObject(ctx, arg(2), arg(3), time.Minute, nil)
		check(err)
		fmt.Println(link)
	case "delete":
		check(client.RemoveObject(ctx, arg(2), arg(3), minio.RemoveObjectOptions{}))
	default:
		check(fmt.Errorf("what is %s?", strings.Join(os.Args, " ")))
	}
}

func arg(number int) string {
	if number >= len(os.Args) {
		return ""
	}
	return os.Args[number]
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
