"""Starts moto_server with databases of RDS that are servers on this machine.

    DATABASE_ADDRESSES='{"orders": "127.0.0.1"}' python3 moto_with_databases.py -H 127.0.0.1 -p PORT

An instance or cluster of that name has that address as its endpoint. All others have one of moto's, where
nothing is.
"""

import json
import os

from moto.rds.models import DBCluster, DBInstance
from moto.server import main

ADDRESSES = json.loads(os.environ["DATABASE_ADDRESSES"])


def local(of_moto, name):
    return property(lambda self: ADDRESSES.get(getattr(self, name)) or of_moto.fget(self))


DBInstance.address = local(DBInstance.address, "db_instance_identifier")
DBCluster.endpoint = local(DBCluster.endpoint, "db_cluster_identifier")

if __name__ == "__main__":
    main()
