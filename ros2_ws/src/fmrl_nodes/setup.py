from glob import glob

from setuptools import setup

setup(
    name="fmrl_nodes",
    version="0.1.0",
    description="The nodes of fmrl_robot: body, scene, planner, controller, reward, monitor",
    license="Apache-2.0",
    packages=["fmrl_nodes", "fmrl_nodes.conversions"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/fmrl_nodes"]),
        ("share/fmrl_nodes", ["package.xml"]),
        # Where ros2 run and ros2 launch look for executables; pip would put scripts into bin/.
        ("lib/fmrl_nodes", glob("stubs/*_node")),
    ],
    zip_safe=True,
)
