/*  The certificates of CZMQ, for test/certs/czmq.test.ts:
    save PATH NAME VALUE   writes a new certificate with that metadata, and prints its keys
    load PATH NAME         prints the keys of a certificate, and its metadata of that name
    store FOLDER KEY       prints whether a store of that folder knows the public key  */
#include <czmq.h>

int main (int argc, char *argv [])
{
    if (argc == 5 && streq (argv [1], "save")) {
        zcert_t *cert = zcert_new ();
        zcert_set_meta (cert, argv [3], "%s", argv [4]);
        if (zcert_save (cert, argv [2]) != 0)
            return 1;
        printf ("%s\n%s\n", zcert_public_txt (cert), zcert_secret_txt (cert));
        zcert_destroy (&cert);
        return 0;
    }
    if (argc == 4 && streq (argv [1], "load")) {
        zcert_t *cert = zcert_load (argv [2]);
        if (!cert)
            return 1;
        const char *meta = zcert_meta (cert, argv [3]);
        printf ("%s\n%s\n%s\n", zcert_public_txt (cert), zcert_secret_txt (cert), meta? meta: "");
        zcert_destroy (&cert);
        return 0;
    }
    if (argc == 4 && streq (argv [1], "store")) {
        zcertstore_t *store = zcertstore_new (argv [2]);
        printf ("%s\n", zcertstore_lookup (store, argv [3])? "known": "unknown");
        zcertstore_destroy (&store);
        return 0;
    }
    return 2;
}
